package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/heyan/heyan/storage/backup"
)

type backupCommand struct {
	Data       string `type:"path" default:"heyan-data" env:"HEYAN_DATA" help:"Data folder of the service, which may run meanwhile."`
	WithoutKey bool   `help:"Leave the vault's key file out; nothing sealed can be read without it."`
	Archive    string `arg:"" help:"File to write (tar); - writes to standard output."`
}

// Run writes the archive whole or not at all.
func (c *backupCommand) Run(ctx context.Context, std standard) error {
	if c.Archive == "-" {
		_, err := backup.Write(ctx, std.out, c.Data, !c.WithoutKey, time.Now())
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(c.Archive), ".heyan-backup-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	to := bufio.NewWriterSize(file, 1<<20)
	summary, err := backup.Write(ctx, to, c.Data, !c.WithoutKey, time.Now())
	if err := errors.Join(err, to.Flush(), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), c.Archive); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "backup: %d pictures, %.1f MB in %s\n", summary.Objects, float64(summary.Bytes)/1e6, c.Archive)
	if summary.Key {
		fmt.Fprintln(std.out, "backup: the vault's key is in it: keep it as you would keep the key")
	} else {
		fmt.Fprintf(std.out, "backup: without the vault's key: keep %s elsewhere\n", filepath.Join(c.Data, backup.KeyFile))
	}
	return nil
}

type restoreCommand struct {
	Data    string `type:"path" default:"heyan-data" env:"HEYAN_DATA" help:"Folder to restore into: missing or empty."`
	Archive string `arg:"" help:"File that backup wrote; - reads standard input."`
}

// Run restores everything or nothing.
func (c *restoreCommand) Run(ctx context.Context, std standard) error {
	var from io.Reader = std.in
	if c.Archive != "-" {
		file, err := os.Open(c.Archive)
		if err != nil {
			return err
		}
		defer file.Close()
		from = file
	}
	summary, err := backup.Restore(ctx, bufio.NewReaderSize(from, 1<<20), c.Data)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "restore: %d pictures, %.1f MB in %s\n", summary.Objects, float64(summary.Bytes)/1e6, c.Data)
	if !summary.Key {
		fmt.Fprintf(std.out, "restore: put the vault's key at %s before the service starts\n", filepath.Join(c.Data, backup.KeyFile))
	}
	return nil
}
