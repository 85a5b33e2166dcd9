package client_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/storage/vault"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/client"
)

// A backend on the same machine submits a picture. With S3, Postgres and Redis
// only the addresses differ.
func ExampleClient_Submit() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "heyan")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	server, err := objects.Embed(filepath.Join(dir, "objects"))
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close(ctx)
	pictures, err := objects.Open(ctx, server.Config())
	if err != nil {
		log.Fatal(err)
	}
	store, err := records.Open(ctx, "sqlite://"+filepath.Join(dir, "records.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	seals, err := vault.Open(ctx, filepath.Join(dir, "vault.key"), store)
	if err != nil {
		log.Fatal(err)
	}
	queue, err := worker.OpenQueue(ctx, "") // "redis://…" where workers are other processes
	if err != nil {
		log.Fatal(err)
	}
	defer queue.Close()

	c := &client.Client{
		Records: store, Objects: pictures, Vault: seals, Queue: queue,
		Tenant: "shop", // of many that share the service; "default" where there is one
		Terms:  map[string]worker.Terms{"dingtalk": {SLA: 30 * time.Minute}},
	}
	submission := report.Submission{Declared: report.Declared{Name: "示例科技有限公司"}, Priority: worker.Interactive}
	v, _, err := c.Submit(ctx, []byte("the bytes of a photo"), submission, "order-7")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Status, v.Policy, v.DeadlineAt.Sub(v.CreatedAt))

	// The same call again, as after a lost answer.
	again, replayed, err := c.Submit(ctx, []byte("the bytes of a photo"), submission, "order-7")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.ID == v.ID, replayed)

	// A worker would answer within a second or two; none runs here.
	waiting, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	v, err = c.Wait(waiting, v.ID)
	fmt.Println(v.Status, err)
	// Output:
	// queued dingtalk 30m0s
	// true true
	// queued context deadline exceeded
}

// ExampleHTTP_Submit talks to a running service.
func ExampleHTTP_Submit() {
	service := &client.HTTP{Base: "http://127.0.0.1:8080", Key: os.Getenv("HEYAN_KEY")}
	picture, err := os.ReadFile("license.jpg")
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	v, err := service.Submit(ctx, picture, report.Submission{Policy: "dingtalk"}, "order-7")
	if err != nil {
		log.Fatal(err)
	}
	if v, err = service.Wait(ctx, v.ID); err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Outcome, v.Reasons)
}
