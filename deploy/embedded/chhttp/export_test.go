package chhttp

// For the tests of package chhttp_test, which run on an engine.
var (
	Transcode        = transcode
	TranscodeDecoded = transcodeDecoded
)
