package main

import (
	"context"

	"github.com/heyan/heyan/synth"
)

type synthCommand struct {
	Samples synthSamplesCommand `cmd:"" help:"The sample photos of the repository."`
	Write   synthWriteCommand   `cmd:"" help:"Pictures for load and calibration."`
}

type synthSamplesCommand struct {
	Folder string `arg:"" type:"path" help:"Folder to write into."`
	Seed   uint64 `default:"1" help:"Seed; the same seed draws the same pictures."`
}

func (c *synthSamplesCommand) Run(ctx context.Context) error {
	return synth.WriteSamples(ctx, c.Folder, c.Seed)
}

type synthWriteCommand struct {
	Folder  string             `arg:"" type:"path" help:"Folder to write into."`
	Seed    uint64             `default:"1" help:"Seed; the same seed draws the same pictures."`
	Count   int                `default:"100" help:"How many pictures."`
	Defects []synth.DefectKind `help:"Kinds of defects that occur; all by default."`
}

func (c *synthWriteCommand) Run(ctx context.Context) error {
	return synth.Write(ctx, c.Folder, synth.Options{Seed: c.Seed, Count: c.Count, Defects: c.Defects})
}
