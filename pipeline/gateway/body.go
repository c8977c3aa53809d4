package gateway

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// firstRead is what a body of unknown length starts with.
const firstRead = 8 << 10

// maxZstdWindow is what RFC 8878 asks every decoder to support, and what encoders use that do not know the size beforehand.
const maxZstdWindow = 8 << 20

// unpacker reads bodies. It is shared by all requests.
type unpacker struct {
	gzip sync.Pool          // *gzip.Reader
	zstd chan *zstd.Decoder // idle ones: each may keep a window, so they are few. None is held while waiting for the network.
}

func newUnpacker() (*unpacker, error) {
	u := &unpacker{zstd: make(chan *zstd.Decoder, runtime.GOMAXPROCS(0))}
	u.gzip.New = func() any { return new(gzip.Reader) }
	for range cap(u.zstd) {
		// The output is bounded by who reads it. WithDecoderMaxMemory would bound the window with it, and so refuse small bodies of
		// encoders that declare their usual window. Concurrency 1 decodes in the caller, without goroutines.
		dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		u.zstd <- dec
	}
	return u, nil
}

// wireReader remembers why reading from the connection failed, since a decompressor reports it as damage of its own.
type wireReader struct {
	io.Reader
	n   int64
	err error
}

func (w *wireReader) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.n += int64(n)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// read returns the decompressed body. Its bytes are covered by l; while it works l never holds more than minInFlightBytes.
func (u *unpacker) read(w http.ResponseWriter, r *http.Request, l *lease) (body []byte, wire int64, prob *problem) {
	src := &wireReader{Reader: http.MaxBytesReader(w, r.Body, MaxBodyBytes)}
	var err error
	switch strings.ToLower(strings.TrimSpace(strings.Join(r.Header.Values("Content-Encoding"), ","))) {
	case "", "identity":
		body, err = readBounded(src, r.ContentLength, l)
	case "gzip":
		body, err = u.gunzip(src, l)
	case "zstd":
		body, err = u.unzstd(src, r.ContentLength, l)
	default:
		return nil, 0, problemEncoding(r.Header.Get("Content-Encoding"))
	}
	if src.err != nil {
		err = src.err
	}
	return body, src.n, bodyProblem(err)
}

func bodyProblem(err error) *problem {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errBodyTooLarge), errors.As(err, &tooLarge):
		return problemTooLarge()
	case errors.Is(err, errBudget):
		return problemBusy()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problemTimeout()
	case errors.Is(err, errDamaged):
		return problemDamaged()
	}
	return problemIncomplete()
}

var (
	errBodyTooLarge = errors.New("body too large")
	errBudget       = errors.New("in-flight budget exhausted")
	errDamaged      = errors.New("the compressed body is damaged")
)

// readBounded reads up to MaxBodyBytes into a buffer that grows only as bytes arrive, each growth taken from l first: who declares a
// large body and sends it slowly holds no more than what came.
func readBounded(r io.Reader, declared int64, l *lease) ([]byte, error) {
	size := int64(firstRead)
	if declared >= 0 && declared < size {
		size = declared + 1 // one more, so that the end is seen without growing
	}
	if !l.grow(size) {
		return nil, errBudget
	}
	buf := make([]byte, 0, size)
	for {
		if len(buf) > MaxBodyBytes {
			return nil, errBodyTooLarge
		}
		if len(buf) == cap(buf) {
			more := min(int64(cap(buf)), MaxBodyBytes+1-int64(cap(buf)))
			if !l.grow(more) {
				return nil, errBudget
			}
			buf = append(make([]byte, 0, int64(cap(buf))+more), buf...)
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF && len(buf) <= MaxBodyBytes {
			return buf, nil
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
	}
}

func (u *unpacker) gunzip(src io.Reader, l *lease) ([]byte, error) {
	z := u.gzip.Get().(*gzip.Reader)
	defer u.gzip.Put(z)
	if err := z.Reset(src); err != nil {
		return nil, errDamaged
	}
	return readUnpacked(z, l)
}

// readUnpacked cuts a bomb off at the limit: no more is decompressed than one read beyond it.
func readUnpacked(z io.Reader, l *lease) ([]byte, error) {
	body, err := readBounded(z, -1, l)
	if err == nil || errors.Is(err, errBodyTooLarge) || errors.Is(err, errBudget) {
		return body, err
	}
	return nil, errDamaged
}

func (u *unpacker) unzstd(src io.Reader, declared int64, l *lease) ([]byte, error) {
	packed, err := readBounded(src, declared, l)
	if err != nil {
		return nil, err
	}
	if len(packed) == 0 {
		return nil, errDamaged // no frame at all; the decoder would call it an empty body
	}
	var head zstd.Header
	if head.Decode(packed) == nil && head.HasFCS && head.FrameContentSize > MaxBodyBytes {
		return nil, errBodyTooLarge // at once, and also where the window is as large as the content
	}
	dec := <-u.zstd
	defer func() {
		dec.Reset(nil) // lets go of the body; cannot fail without input
		u.zstd <- dec
	}()
	if err := dec.Reset(bytes.NewReader(packed)); err != nil {
		return nil, errDamaged
	}
	body, err := readUnpacked(dec, l)
	if err == nil {
		l.shrinkTo(int64(cap(body)))
	}
	return body, err
}

// mediaType says whether the body is declared as lines of JSON, or refuses it. Without a Content-Type (a Blob of no type) the body's
// first byte decides, as it does for text/plain and application/json.
func mediaType(r *http.Request) (lines bool, prob *problem) {
	given := r.Header.Get("Content-Type")
	if given == "" {
		return false, nil
	}
	name, params, err := mime.ParseMediaType(given)
	if err != nil {
		return false, problemMediaType(given)
	}
	if cs := params["charset"]; cs != "" && !strings.EqualFold(cs, "utf-8") {
		return false, problemMediaType(given)
	}
	switch name {
	case "application/x-ndjson":
		return true, nil
	case "application/json", "text/plain":
		return false, nil
	}
	return false, problemMediaType(given)
}
