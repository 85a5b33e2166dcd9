package main

import (
	"context"
	"errors"

	"github.com/heyan/heyan/synth"
)

type synthCommand struct {
	Samples synthSamplesCommand `cmd:"" help:"The sample photos of the repository."`
	Write   synthWriteCommand   `cmd:"" help:"Pictures for load and calibration, with their truth."`
}

type synthSamplesCommand struct {
	Folder string `arg:"" type:"path" help:"Folder to write into."`
	Seed   uint64 `default:"1" help:"Seed; the same seed draws the same pictures."`
}

func (c *synthSamplesCommand) Run(ctx context.Context) error {
	return synth.WriteSamples(ctx, c.Folder, c.Seed)
}

type synthWriteCommand struct {
	Folder    string             `arg:"" type:"path" help:"Folder to write into."`
	Seed      uint64             `default:"1" help:"Seed; the same seed draws the same pictures."`
	Count     int                `default:"100" help:"How many pictures."`
	Licenses  int                `default:"200" help:"How many different licenses; 0: another in each picture."`
	Defects   []synth.DefectKind `help:"Kinds of defects that occur; all by default."`
	Levels    []int              `help:"Strengths that occur, 1 harmless to 6 hopeless; all by default."`
	Clean     float64            `default:"0.2" help:"Share of the licenses without a defect."`
	Mixed     float64            `default:"0.2" help:"Share of the licenses with several defects; the others have one."`
	Negatives float64            `default:"0.1" help:"Share of pictures that are no license."`
	LongSide  int                `help:"Long side in px of the pictures; a mix of sizes by default."`
}

func (c *synthWriteCommand) Run(ctx context.Context) error {
	err := synth.Write(ctx, c.Folder, synth.Options{
		Seed: c.Seed, Count: c.Count, Licenses: c.Licenses, Defects: c.Defects, Levels: c.Levels,
		Clean: c.Clean, Mixed: c.Mixed, Negatives: c.Negatives, LongSide: c.LongSide,
	})
	if bad := (*synth.OptionError)(nil); errors.As(err, &bad) {
		return &exit{exitUsage, err}
	}
	return err
}
