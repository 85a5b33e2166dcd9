package engine

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/heyan/heyan/pipeline/report"
)

// A frame is: kind (1 byte), sequence number (4 bytes), length of the payload
// (4 bytes), payload; integers are big-endian. The child greets with one hello
// frame, then answers each request (a header frame and a picture frame of the
// same number) by frames of that number: a report, an error, or views and their
// pictures, as many as pictures of a Views.
type kind byte

const (
	kindHello   kind = 'h' // protocol name
	kindHeader  kind = 'q' // header as JSON
	kindPicture kind = 'p' // the bytes of the picture
	kindReport  kind = 'r' // report.Report as JSON
	kindViews   kind = 'v' // Geometry as JSON
	kindError   kind = 'e' // RemoteError as JSON
)

// hello names the protocol and its version.
const hello = "heyan-engine/2"

const frameHead = 9 // bytes before the payload

// Caps of the payloads, bytes. A picture beyond a policy's own limit still
// reaches the child so that the report can say so.
const (
	MaxPicture  = 64 << 20
	maxHeader   = 1 << 20
	maxReport   = 16 << 20
	maxError    = 64 << 10
	maxGeometry = 4 << 10
)

func limitOf(k kind) int {
	switch k {
	case kindHello:
		return len(hello)
	case kindHeader:
		return maxHeader
	case kindViews:
		return maxGeometry
	case kindPicture:
		return MaxPicture
	case kindReport:
		return maxReport
	case kindError:
		return maxError
	}
	return -1
}

// errProtocol marks bytes that are not a frame that may stand here.
var errProtocol = errors.New("not the engine protocol")

type frame struct {
	kind    kind
	seq     uint32
	payload []byte
}

func writeFrame(w io.Writer, f frame) error {
	if limit := limitOf(f.kind); len(f.payload) > limit {
		return fmt.Errorf("frame %q of %d bytes, limit %d", f.kind, len(f.payload), limit)
	}
	head := make([]byte, 0, frameHead)
	head = append(head, byte(f.kind))
	head = binary.BigEndian.AppendUint32(head, f.seq)
	head = binary.BigEndian.AppendUint32(head, uint32(len(f.payload)))
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(f.payload)
	return err
}

// readFrame reads one frame. The end of the stream before its first byte is
// io.EOF. Memory grows with the bytes that arrive, not with the length claimed.
func readFrame(r io.Reader) (frame, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{kind: kind(head[0]), seq: binary.BigEndian.Uint32(head[1:5])}
	length, limit := binary.BigEndian.Uint32(head[5:9]), limitOf(f.kind)
	if limit < 0 {
		return frame{}, fmt.Errorf("%w: unknown frame", errProtocol)
	}
	if int64(length) > int64(limit) {
		return frame{}, fmt.Errorf("%w: frame %q of %d bytes, limit %d", errProtocol, f.kind, length, limit)
	}
	var payload bytes.Buffer
	if _, err := io.CopyN(&payload, r, int64(length)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return frame{}, err
	}
	f.payload = payload.Bytes()
	return f, nil
}

// header is the JSON part of a request.
type header struct {
	Submission report.Submission `json:"submission"`
	Precheck   bool              `json:"precheck,omitempty"`
	Policy     string            `json:"policy,omitempty"`
	Views      bool              `json:"views,omitempty"` // are asked for in place of a report
	Quad       report.Polygon    `json:"quad,omitempty"`
	TimeoutMS  int64             `json:"timeout_ms,omitempty"`
}

// message is a request on its way.
type message struct {
	header
	picture []byte
}

func (m message) timeout() time.Duration { return time.Duration(m.TimeoutMS) * time.Millisecond }

func writeRequest(w io.Writer, seq uint32, m message) error {
	head, err := json.Marshal(m.header)
	if err != nil {
		return err
	}
	if err := writeFrame(w, frame{kindHeader, seq, head}); err != nil {
		return err
	}
	return writeFrame(w, frame{kindPicture, seq, m.picture})
}

func readRequest(r io.Reader) (uint32, message, error) {
	head, err := readFrame(r)
	if err != nil {
		return 0, message{}, err
	}
	if head.kind != kindHeader {
		return 0, message{}, fmt.Errorf("%w: frame %q in place of a header", errProtocol, head.kind)
	}
	var m message
	if err := json.Unmarshal(head.payload, &m.header); err != nil {
		// The decoder's own words may quote what was declared.
		return 0, message{}, fmt.Errorf("%w: header is not the expected JSON", errProtocol)
	}
	m.picture, err = readPicture(r, head.seq)
	return head.seq, m, err
}

// readPicture reads the picture that belongs to what was read before.
func readPicture(r io.Reader, seq uint32) ([]byte, error) {
	f, err := readFrame(r)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && (f.kind != kindPicture || f.seq != seq) {
		err = fmt.Errorf("%w: frame %q in place of the picture", errProtocol, f.kind)
	}
	return f.payload, err
}

// readAnswer reads the first frame of the answer to request seq, which is of
// that kind and holds v as JSON, or the child's own error as *RemoteError.
func readAnswer(r io.Reader, seq uint32, of kind, v any) error {
	f, err := readFrame(r)
	if err != nil {
		return err
	}
	if f.seq != seq {
		return fmt.Errorf("%w: answer to request %d, want %d", errProtocol, f.seq, seq)
	}
	switch f.kind {
	case of:
		if err := json.Unmarshal(f.payload, v); err != nil {
			return fmt.Errorf("%w: answer %q is not the expected JSON", errProtocol, f.kind)
		}
		return nil
	case kindError:
		remote := &RemoteError{}
		if err := json.Unmarshal(f.payload, remote); err != nil {
			return fmt.Errorf("%w: error is not the expected JSON", errProtocol)
		}
		return remote
	}
	return fmt.Errorf("%w: frame %q in place of an answer", errProtocol, f.kind)
}

func readReport(r io.Reader, seq uint32) (rep report.Report, err error) {
	err = readAnswer(r, seq, kindReport, &rep)
	return rep, err
}

func readViews(r io.Reader, seq uint32) (v Views, err error) {
	if err := readAnswer(r, seq, kindViews, &v.Geometry); err != nil {
		return Views{}, err
	}
	for _, picture := range v.pictures() {
		if *picture, err = readPicture(r, seq); err != nil {
			return Views{}, err
		}
	}
	if len(v.Page) == 0 {
		v.Page = nil
	}
	return v, nil
}
