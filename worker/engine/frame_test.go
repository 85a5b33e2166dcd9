package engine

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

func encode(t testing.TB, frames ...frame) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, f := range frames {
		if err := writeFrame(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestRequestRoundTrip(t *testing.T) {
	for _, want := range []message{
		{header{Submission: report.Submission{ID: "v1", Declared: report.Declared{Name: "测试有限公司"}}, Precheck: true, Policy: "strict", TimeoutMS: 1500}, []byte{0xff, 0xd8}},
		{header{Views: true, Quad: report.Polygon{{0, 0.5}, {10, 0}, {10, 7}, {0, 7}}}, []byte{0xff, 0xd8}},
	} {
		var b bytes.Buffer
		if err := writeRequest(&b, 7, want); err != nil {
			t.Fatal(err)
		}
		seq, got, err := readRequest(&b)
		if err != nil || seq != 7 || !reflect.DeepEqual(got, want) {
			t.Errorf("got %d, %+v, %v", seq, got, err)
		}
	}
}

func TestReadRequestRefuses(t *testing.T) {
	head := encode(t, frame{kindHeader, 1, []byte(`{}`)})
	for _, tt := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, io.EOF},
		{"half a head", head[:4], io.ErrUnexpectedEOF},
		{"no picture", head, io.ErrUnexpectedEOF},
		{"a length that is a lie", append(head[:len(head):len(head)], 'p', 0, 0, 0, 1, 0, 0xff, 0xff, 0xff), io.ErrUnexpectedEOF},
		{"a picture of another request", append(head[:len(head):len(head)], encode(t, frame{kindPicture, 2, nil})...), errProtocol},
		{"a picture that is too large", append(head[:len(head):len(head)], 'p', 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff), errProtocol},
		{"a header that is no JSON", encode(t, frame{kindHeader, 1, []byte(`{"submission":`)}), errProtocol},
		{"a report", encode(t, frame{kindReport, 1, []byte(`{}`)}), errProtocol},
		{"an unknown frame", []byte("zzzzzzzzzzzzz"), errProtocol},
	} {
		if _, _, err := readRequest(bytes.NewReader(tt.in)); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestReadViewsRefuses(t *testing.T) {
	picture := func(seq uint32) frame { return frame{kindPicture, seq, []byte("x")} }
	head := frame{kindViews, 1, []byte(`{"width":1}`)}
	for _, tt := range []struct {
		name string
		in   []byte
		want error
	}{
		{"two pictures", encode(t, head, picture(1), picture(1)), io.ErrUnexpectedEOF},
		{"a picture of another request", encode(t, head, picture(1), picture(2), picture(1)), errProtocol},
		{"another frame among the pictures", encode(t, head, picture(1), head, picture(1)), errProtocol},
		{"a geometry that is no JSON", encode(t, frame{kindViews, 1, []byte(`{"width":`)}), errProtocol},
		{"a report", encode(t, frame{kindReport, 1, []byte(`{}`)}), errProtocol},
		{"the answer to another request", encode(t, frame{kindViews, 2, []byte(`{}`)}), errProtocol},
	} {
		if got, err := readViews(bytes.NewReader(tt.in), 1); !errors.Is(err, tt.want) || !reflect.DeepEqual(got, Views{}) {
			t.Errorf("%s: got %+v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

func TestWriteFrameKeepsLimits(t *testing.T) {
	if err := writeFrame(io.Discard, frame{kindReport, 1, make([]byte, maxReport+1)}); err == nil {
		t.Error("a frame beyond its limit was written")
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(encode(f, frame{kindHello, 0, []byte(hello)}))
	f.Add(encode(f, frame{kindHeader, 1, []byte(`{"submission":{"id":"v1"},"policy":"photo","timeout_ms":5}`)}, frame{kindPicture, 1, []byte("x")}))
	f.Add(encode(f, frame{kindReport, 1, []byte(`{"id":"v1","status":"completed"}`)}))
	f.Add(encode(f, frame{kindViews, 1, []byte(`{"width":4,"height":3}`)}, frame{kindPicture, 1, []byte("x")}, frame{kindPicture, 1, []byte("y")}, frame{kindPicture, 1, nil}))
	f.Add(encode(f, frame{kindError, 1, []byte(`{"message":"m","retry":true}`)}))
	f.Add([]byte{'p', 0, 0, 0, 1, 3, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, in []byte) {
		fr, err := readFrame(bytes.NewReader(in))
		if err == nil {
			if again := encode(t, fr); !bytes.Equal(again, in[:len(again)]) {
				t.Errorf("frame %+v does not encode to what was read", fr)
			}
		}
		if seq, req, err := readRequest(bytes.NewReader(in)); err == nil {
			var b bytes.Buffer
			if err := writeRequest(&b, seq, req); err != nil {
				t.Errorf("a request that was read cannot be written: %v", err)
			}
		}
		_, ofReport := readReport(bytes.NewReader(in), fr.seq)
		_, ofViews := readViews(bytes.NewReader(in), fr.seq)
		for _, err := range []error{ofReport, ofViews} {
			var remote *RemoteError
			if errors.As(err, &remote) && fr.kind != kindError {
				t.Errorf("frame %q became the child's error", fr.kind)
			}
		}
	})
}
