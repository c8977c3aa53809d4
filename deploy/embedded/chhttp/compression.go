package chhttp

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"io"
	"net/http"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// requestBody undoes what the client did to the body: Content-Encoding outside, ClickHouse's frames (decompress=1) inside.
func requestBody(r *http.Request, framed bool) (io.Reader, error) {
	body, err := decoder(strings.ToLower(r.Header.Get("Content-Encoding")), r.Body)
	if err != nil || !framed {
		return body, err
	}
	return newFrameReader(body), nil
}

func decoder(encoding string, body io.Reader) (io.Reader, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(body)
	case "deflate":
		return zlib.NewReader(body)
	case "zstd":
		d, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case "lz4":
		return lz4.NewReader(body), nil
	case "br":
		return brotli.NewReader(body), nil
	}
	return nil, fail(codeNotImplemented, "NOT_IMPLEMENTED", "Unknown Content-Encoding '%s'; gzip, deflate, zstd, lz4 and br are known", encoding)
}

// frameReader reads ClickHouse's frames. The body may end between two of them only, which compress.Reader does not tell apart.
type frameReader struct {
	source *bufio.Reader
	frames *compress.Reader
	left   int // bytes of the frame not yet read
}

func newFrameReader(body io.Reader) *frameReader {
	source := bufio.NewReader(body)
	return &frameReader{source: source, frames: compress.NewReader(source)}
}

func (f *frameReader) Read(p []byte) (int, error) {
	if f.left == 0 {
		const sizeAt, head = 21, 25 // checksum 16, method 1, compressed size 4, size 4
		start, err := f.source.Peek(head)
		if len(start) == 0 {
			return 0, err
		}
		if err != nil {
			return 0, fail(codeCorrupted, "CANNOT_DECOMPRESS", "The body ends inside a compressed block")
		}
		f.left = int(binary.LittleEndian.Uint32(start[sizeAt:]))
	}
	n, err := f.frames.Read(p)
	f.left -= n
	if err != nil {
		return n, fail(codeCorrupted, "CANNOT_DECOMPRESS", "A compressed block can't be read: %s", err)
	}
	return n, nil
}

// encoder picks the first encoding that the client accepts, in ClickHouse's order of preference.
func encoder(accepted string, w io.Writer) (string, io.WriteCloser) {
	accepted = strings.ToLower(accepted)
	for _, encoding := range []string{"gzip", "deflate", "zstd", "lz4", "br"} {
		if !accepts(accepted, encoding) {
			continue
		}
		switch encoding {
		case "gzip":
			z, _ := gzip.NewWriterLevel(w, 3)
			return encoding, z
		case "deflate":
			z, _ := zlib.NewWriterLevel(w, 3)
			return encoding, z
		case "zstd":
			z, _ := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
			return encoding, z
		case "lz4":
			return encoding, lz4.NewWriter(w)
		case "br":
			return encoding, brotli.NewWriterLevel(w, 1)
		}
	}
	return "", nil
}

func accepts(accepted, encoding string) bool {
	for part := range strings.SplitSeq(accepted, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == encoding && strings.TrimSpace(quality) != "q=0" {
			return true
		}
	}
	return false
}

// frameWriter writes ClickHouse's frames, of at most a megabyte before compression.
type frameWriter struct {
	to     io.Writer
	frames *compress.Writer
}

func newFrameWriter(to io.Writer, method string) *frameWriter {
	m := compress.LZ4
	switch strings.ToUpper(method) {
	case "ZSTD":
		m = compress.ZSTD
	case "NONE":
		m = compress.None
	}
	return &frameWriter{to, compress.NewWriter(0, m)}
}

func (f *frameWriter) Write(p []byte) (int, error) {
	const most = 1 << 20
	for at := 0; at < len(p); at += most {
		if err := f.frames.Compress(p[at:min(at+most, len(p))]); err != nil {
			return at, err
		}
		if _, err := f.to.Write(f.frames.Data); err != nil {
			return at, err
		}
	}
	return len(p), nil
}
