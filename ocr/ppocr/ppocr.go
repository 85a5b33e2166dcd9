// Package ppocr reads text with PP-OCR models on ONNX Runtime: it knows tensors,
// differentiable binarization and connectionist temporal classification. It
// must not know what the text means.
package ppocr

import (
	"fmt"
	"math/bits"
	"runtime"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// Options configures New.
type Options struct {
	Models Models
	Set    string // a name of Models.Sets; empty: Models.Default
	// Parallel is how many lines are recognised at the same time, one thread
	// each; 0: one per core.
	Parallel int
}

// Engine is an ocr.Engine. Its methods may run at the same time.
type Engine struct {
	name       string
	detector   Detector
	det        *ort.DynamicAdvancedSession
	recogniser Recogniser
	rec        *ort.DynamicAdvancedSession
	classes    []string
	otherWidth []int // of each class, the same sign at full or half width; 0: none
	stepPx     int   // of the recogniser's input, a time step of its answer
	parallel   int

	inputs, outputs pool
}

var environment struct {
	sync.Mutex
	ready bool
}

// start loads ONNX Runtime's shared library, once a process.
func start() error {
	environment.Lock()
	defer environment.Unlock()
	if environment.ready {
		return nil
	}
	library, err := Asset(runtimeFile)
	if err != nil {
		return err
	}
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("ppocr: ONNX Runtime %s: %w", library, err)
	}
	environment.ready = true
	return nil
}

// RuntimeVersion is the version of the loaded ONNX Runtime.
func RuntimeVersion() (string, error) {
	if err := start(); err != nil {
		return "", err
	}
	return ort.GetVersion(), nil
}

// New loads a set of models. It fails with a *MissingAssetError when a file is
// not installed, and refuses a recogniser whose classes do not fit its
// dictionary. Close frees the models.
func New(options Options) (*Engine, error) {
	name := options.Set
	if name == "" {
		name = options.Models.Default
	}
	set, ok := options.Models.Sets[name]
	if !ok {
		return nil, fmt.Errorf("ppocr: there is no model set %q", name)
	}
	if err := start(); err != nil {
		return nil, err
	}
	e := &Engine{
		name:       "ppocr/" + name,
		detector:   options.Models.Detectors[set.Detector],
		recogniser: options.Models.Recognisers[set.Recogniser],
		parallel:   options.Parallel,
	}
	if e.parallel <= 0 {
		e.parallel = runtime.NumCPU()
	}
	dictionary, err := Asset(e.recogniser.Dictionary)
	if err != nil {
		return nil, err
	}
	if e.classes, err = loadDictionary(dictionary); err != nil {
		return nil, err
	}
	e.otherWidth = otherWidths(e.classes)
	var width int64
	if e.det, _, err = session(e.detector.File); err != nil {
		return nil, err
	}
	if e.rec, width, err = session(e.recogniser.File); err != nil {
		e.Close()
		return nil, err
	}
	if int(width) != len(e.classes) {
		e.Close()
		return nil, fmt.Errorf("ppocr: %s has %d classes, its dictionary %s makes %d",
			e.recogniser.File, width, e.recogniser.Dictionary, len(e.classes))
	}
	if err := e.probe(); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// probe reads a blank line to learn how many time steps an answer has.
func (e *Engine) probe() error {
	blank, err := ort.NewEmptyTensor[float32](ort.NewShape(1, 3, int64(e.recogniser.HeightPx), minLineWidthPx))
	if err != nil {
		return fmt.Errorf("ppocr: %w", err)
	}
	defer blank.Destroy()
	answers := []ort.Value{nil}
	if err := e.rec.Run([]ort.Value{blank}, answers); err != nil {
		return fmt.Errorf("ppocr: %s: %w", e.recogniser.File, err)
	}
	defer answers[0].Destroy()
	shape := answers[0].GetShape()
	if len(shape) != 3 || shape[1] < 1 || int(shape[2]) != len(e.classes) || widthMultiple*int(shape[1])%minLineWidthPx != 0 {
		return fmt.Errorf("ppocr: %s answers a line of %d px with shape %v", e.recogniser.File, minLineWidthPx, shape)
	}
	e.stepPx = minLineWidthPx / int(shape[1])
	return nil
}

// session opens a model and tells the size of its output's last dimension.
func session(file string) (*ort.DynamicAdvancedSession, int64, error) {
	path, err := Asset(file)
	if err != nil {
		return nil, 0, err
	}
	inputs, outputs, err := ort.GetInputOutputInfo(path)
	if err != nil {
		return nil, 0, fmt.Errorf("ppocr: %s: %w", file, err)
	}
	if len(inputs) != 1 || len(outputs) != 1 || len(outputs[0].Dimensions) == 0 {
		return nil, 0, fmt.Errorf("ppocr: %s has %d inputs and %d outputs, want one of each", file, len(inputs), len(outputs))
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, 0, fmt.Errorf("ppocr: %w", err)
	}
	defer options.Destroy()
	// One thread a call: calls run side by side instead, which neither spins
	// nor slows down under load. Shapes differ from call to call, so memory
	// patterns would be learned in vain.
	for _, set := range []error{
		options.SetIntraOpNumThreads(1),
		options.SetInterOpNumThreads(1),
		options.SetMemPattern(false),
		options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
	} {
		if set != nil {
			return nil, 0, fmt.Errorf("ppocr: %s: %w", file, set)
		}
	}
	s, err := ort.NewDynamicAdvancedSession(path, []string{inputs[0].Name}, []string{outputs[0].Name}, options)
	if err != nil {
		return nil, 0, fmt.Errorf("ppocr: %s: %w", file, err)
	}
	dims := outputs[0].Dimensions
	return s, dims[len(dims)-1], nil
}

// Name is the engine and its model set: "ppocr/v6-small".
func (e *Engine) Name() string { return e.name }

// Close frees the models.
func (e *Engine) Close() error {
	for _, s := range []*ort.DynamicAdvancedSession{e.det, e.rec} {
		if s != nil {
			if err := s.Destroy(); err != nil {
				return fmt.Errorf("ppocr: %w", err)
			}
		}
	}
	return nil
}

// run gives a session one float tensor and fills out, which has the answer's
// shape.
func run(s *ort.DynamicAdvancedSession, shape ort.Shape, data []float32, outShape ort.Shape, out []float32) error {
	input, err := ort.NewTensor(shape, data)
	if err != nil {
		return fmt.Errorf("ppocr: %w", err)
	}
	defer input.Destroy()
	output, err := ort.NewTensor(outShape, out)
	if err != nil {
		return fmt.Errorf("ppocr: %w", err)
	}
	defer output.Destroy()
	if err := s.Run([]ort.Value{input}, []ort.Value{output}); err != nil {
		return fmt.Errorf("ppocr: %w", err)
	}
	return nil
}

// pool keeps tensors for the next picture: a line's answer has millions of numbers.
type pool struct{ sync.Pool }

// get gives n numbers of any value.
func (p *pool) get(n int) []float32 {
	if b, ok := p.Get().(*[]float32); ok && cap(*b) >= n {
		return (*b)[:n]
	}
	return make([]float32, n, 1<<bits.Len(uint(n)))
}

func (p *pool) put(b []float32) { p.Put(&b) }
