package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/server"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/engine"
	"github.com/heyan/heyan/worker/webhook"
)

type serveCommand struct {
	engineFlags
	Data    string `type:"path" default:"heyan-data" env:"HEYAN_DATA" help:"Folder of photos, records and keys; made when it is missing."`
	Listen  string `default:"${listen}" env:"HEYAN_LISTEN" help:"Address to listen on; put TLS in front of any that is not local."`
	Policy  string `default:"photo" env:"HEYAN_POLICY" help:"Policy of submissions that name none."`
	Workers int    `env:"HEYAN_WORKERS" help:"Engine children; one per core by default."`

	Rate         float64        `env:"HEYAN_RATE" help:"Requests a second that each key may make; 100 by default."`
	Burst        int            `env:"HEYAN_BURST" help:"Requests at once of a key; 200 by default."`
	WebhookAllow []netip.Prefix `name:"webhook-allow" env:"HEYAN_WEBHOOK_ALLOW" help:"Networks that events may be sent to although they are not public: 10.1.0.0/16,…"`
	WebhookHTTP  bool           `name:"webhook-http" env:"HEYAN_WEBHOOK_HTTP" help:"Send events without TLS as well."`

	Redis   string `env:"HEYAN_REDIS" help:"Address of a Redis server in place of the embedded queue."`
	Records string `env:"HEYAN_RECORDS" help:"postgres://… in place of SQLite in the data folder."`

	S3Endpoint  string `name:"s3-endpoint" env:"HEYAN_S3_ENDPOINT" help:"host:port of an S3 server in place of the embedded one."`
	S3AccessKey string `name:"s3-access-key" env:"HEYAN_S3_ACCESS_KEY" help:"Access key."`
	S3SecretKey string `name:"s3-secret-key" env:"HEYAN_S3_SECRET_KEY" help:"Secret key."`
	S3Region    string `name:"s3-region" env:"HEYAN_S3_REGION" default:"us-east-1" help:"Region."`
	S3Bucket    string `name:"s3-bucket" env:"HEYAN_S3_BUCKET" default:"heyan" help:"Bucket."`
	S3Secure    bool   `name:"s3-secure" env:"HEYAN_S3_SECURE" help:"Speak TLS to it."`
	S3Public    string `name:"s3-public" env:"HEYAN_S3_PUBLIC" help:"https://host of it as callers reach it: their uploads go there. Without it they go through this service."`
}

func (c *serveCommand) Run(ctx context.Context, std standard) error {
	return c.serve(ctx, func(address net.Addr) { fmt.Fprintf(std.out, "heyan: serving on http://%s\n", address) },
		func(token string) {
			fmt.Fprintf(std.out, "heyan: the first key, with all scopes, shown this once:\n  export HEYAN_KEY=%s\n", token)
		})
}

func (c *serveCommand) serve(ctx context.Context, ready func(net.Addr), firstKey func(token string)) error {
	policy, err := verdict.LoadPolicy(c.Policy, nil)
	if err != nil {
		return &exit{exitUsage, err}
	}
	line, err := c.command(1)
	if err != nil {
		return err
	}
	terms := map[string]worker.Terms{policy.Name: {SLA: policy.SLA()}}
	for _, name := range verdict.Policies() {
		policy, err := verdict.LoadPolicy(name, nil)
		if err != nil {
			return err
		}
		terms[name] = worker.Terms{SLA: policy.SLA()}
	}
	config := server.Config{
		DataDir: c.Data, Listen: c.Listen, Redis: c.Redis, Records: c.Records,
		Engine: engine.Config{Command: line, Size: c.Workers},
		Policy: policy.Name, Policies: verdict.Policies(), Terms: terms,
		Webhooks: webhook.Guard{Allow: c.WebhookAllow, AllowHTTP: c.WebhookHTTP}, Rate: c.Rate, Burst: c.Burst,
		SystemReport: reviewReport, Ready: ready, FirstKey: firstKey,
	}
	if c.S3Endpoint != "" {
		config.S3 = objects.Config{Endpoint: c.S3Endpoint, AccessKey: c.S3AccessKey, SecretKey: c.S3SecretKey,
			Region: c.S3Region, Bucket: c.S3Bucket, Secure: c.S3Secure, PublicURL: c.S3Public}
	}
	return server.Serve(ctx, config)
}

// reviewReport hands a picture that we failed on to a person.
func reviewReport(s report.Submission, code string) report.Report {
	r := systemReport(s, code, "every attempt failed")
	r.Outcome = report.OutcomeReview
	return r
}
