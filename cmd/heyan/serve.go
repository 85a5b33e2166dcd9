package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/server"
	"github.com/heyan/heyan/server/signin"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/worker"
	"github.com/heyan/heyan/worker/engine"
	"github.com/heyan/heyan/worker/webhook"
)

// serviceFlags say where the parts of a service are.
type serviceFlags struct {
	storeFlags
	Policy string `default:"dingtalk" env:"HEYAN_POLICY" help:"Policy of submissions that name none."`

	Redis string `env:"HEYAN_REDIS" help:"Address of a Redis server in place of the embedded queue."`

	S3Endpoint  string `name:"s3-endpoint" env:"HEYAN_S3_ENDPOINT" help:"host:port of an S3 server in place of the embedded one."`
	S3AccessKey string `name:"s3-access-key" env:"HEYAN_S3_ACCESS_KEY" help:"Access key."`
	S3SecretKey string `name:"s3-secret-key" env:"HEYAN_S3_SECRET_KEY" help:"Secret key."`
	S3Region    string `name:"s3-region" env:"HEYAN_S3_REGION" default:"us-east-1" help:"Region."`
	S3Bucket    string `name:"s3-bucket" env:"HEYAN_S3_BUCKET" default:"heyan" help:"Bucket."`
	S3Secure    bool   `name:"s3-secure" env:"HEYAN_S3_SECURE" help:"Speak TLS to it."`
	S3Public    string `name:"s3-public" env:"HEYAN_S3_PUBLIC" help:"https://host of it as callers reach it: their uploads go there. Without it they go through this service."`

	WebhookAllow []netip.Prefix `env:"HEYAN_WEBHOOK_ALLOW" help:"Networks that webhooks may go to although they are not public: 10.0.0.0/8."`
	WebhookHTTP  bool           `name:"webhook-http" env:"HEYAN_WEBHOOK_HTTP" help:"Let webhooks go without TLS, too."`
}

// config is that of a service without its engine.
func (f *serviceFlags) config() (server.Config, error) {
	policy, err := verdict.LoadPolicy(f.Policy, nil)
	if err != nil {
		return server.Config{}, &exit{exitUsage, err}
	}
	config := server.Config{
		DataDir: f.Data, Redis: f.Redis, Records: f.Records, KeyFile: f.keyFile(),
		Policy: policy.Name, Policies: verdict.Policies(), Terms: map[string]worker.Terms{},
		SystemReport: reviewReport,
		Webhooks:     webhook.Guard{Allow: f.WebhookAllow, AllowHTTP: f.WebhookHTTP},
	}
	for _, name := range append(verdict.Policies(), policy.Name) {
		p, err := verdict.LoadPolicy(name, nil)
		if err != nil {
			return server.Config{}, err
		}
		config.Terms[name] = worker.NewTerms(p)
	}
	if f.S3Endpoint != "" {
		config.S3 = objects.Config{Endpoint: f.S3Endpoint, AccessKey: f.S3AccessKey, SecretKey: f.S3SecretKey,
			Region: f.S3Region, Bucket: f.S3Bucket, Secure: f.S3Secure, PublicURL: f.S3Public}
	}
	return config, nil
}

// childFlags are of a process that reads pictures.
type childFlags struct {
	engineFlags
	Workers int    `env:"HEYAN_WORKERS" help:"Engine children; one per core by default."`
	Engine  string `type:"path" env:"HEYAN_ENGINE" help:"Program to start as an engine child in place of this one, with the same arguments: one that confines it, say."`
}

func (f *childFlags) engine() (engine.Config, error) {
	line, err := f.command(1)
	if err == nil && f.Engine != "" {
		line[0] = f.Engine
	}
	return engine.Config{Command: line, Size: f.Workers}, err
}

// callerFlags are of a process that answers requests.
type callerFlags struct {
	Listen string  `default:"${listen}" env:"HEYAN_LISTEN" help:"Address to listen on; put TLS in front of any that is not local."`
	Rate   float64 `env:"HEYAN_RATE" help:"Requests a second that each key may make; 100 by default."`
	Burst  int     `env:"HEYAN_BURST" help:"Requests at once of a key; 200 by default."`
}

// firstKey shows the key with which everything else begins.
func firstKey(std standard) func(token string) {
	return func(token string) {
		fmt.Fprintf(std.out, "heyan: the first key, with all scopes, shown this once:\n  export HEYAN_KEY=%s\n", token)
	}
}

// consoleFlags are of a process with the reviewers' pages.
type consoleFlags struct {
	consoleURLFlag
	Grace      time.Duration `default:"30s" env:"HEYAN_GRACE" help:"How long a reviewer's decision can be undone before it is final."`
	SecondLook float64       `default:"0" env:"HEYAN_SECOND_LOOK" help:"Share of the reviews that two people decide, each without seeing what the other did: 0 to 1."`

	OIDCIssuer       string            `name:"oidc-issuer" env:"HEYAN_OIDC_ISSUER" help:"https://… of an OpenID Connect provider that signs reviewers in, beside local accounts."`
	OIDCClientID     string            `name:"oidc-client-id" env:"HEYAN_OIDC_CLIENT_ID" help:"Client id there; the redirect URL to register is that of the console and /console/sign-in/oidc/done."`
	OIDCClientSecret string            `name:"oidc-client-secret" env:"HEYAN_OIDC_CLIENT_SECRET" help:"Client secret; others on this machine see flags, the variable they do not."`
	OIDCScope        []string          `name:"oidc-scope" env:"HEYAN_OIDC_SCOPE" help:"Scopes beside openid and profile: groups, say."`
	OIDCGroupsClaim  string            `name:"oidc-groups-claim" default:"groups" env:"HEYAN_OIDC_GROUPS_CLAIM" help:"Claim of the ID token that names a person's groups."`
	OIDCRole         map[string]string `name:"oidc-role" env:"HEYAN_OIDC_ROLE" placeholder:"GROUP=ROLE" help:"What a group may do: reviewer, lead or admin. Repeat the flag for several; who is in none may not sign in."`
}

// consoleURLFlag says where browsers find the console.
type consoleURLFlag struct {
	ConsoleURL string `name:"console-url" env:"HEYAN_CONSOLE_URL" help:"https://host of this service as browsers reach it; the address it listens on by default. Browsers sign in over TLS, or on this machine."`
}

func (f *consoleFlags) console(std standard) (*server.Console, error) {
	if f.SecondLook < 0 || f.SecondLook > 1 {
		return nil, &exit{exitUsage, fmt.Errorf("--second-look %g is not within 0 and 1", f.SecondLook)}
	}
	return &server.Console{
		URL:   f.ConsoleURL,
		Grace: f.Grace, SecondLook: f.SecondLook,
		Policy: func(name string) (verdict.Policy, error) { return verdict.LoadPolicy(name, nil) },
		OIDC: signin.OIDCConfig{Issuer: f.OIDCIssuer, ClientID: f.OIDCClientID, ClientSecret: f.OIDCClientSecret,
			Scopes: f.OIDCScope, GroupsClaim: f.OIDCGroupsClaim, Roles: f.OIDCRole},
		FirstUser: func(link string) {
			fmt.Fprintf(std.out, "heyan: the console's first admin sets a password here, within 24 hours:\n  %s\n", link)
		},
	}, nil
}

type serveCommand struct {
	serviceFlags
	childFlags
	callerFlags
	consoleFlags
}

func (c *serveCommand) Run(ctx context.Context, std standard) error {
	pages, err := c.console(std)
	if err != nil {
		return err
	}
	return c.serve(ctx, func(address net.Addr) { fmt.Fprintf(std.out, "heyan: serving on http://%s\n", address) }, firstKey(std), pages)
}

func (c *serveCommand) serve(ctx context.Context, ready func(net.Addr), firstKey func(token string), pages *server.Console) error {
	config, err := c.config()
	if err == nil {
		config.Engine, err = c.engine()
	}
	if err != nil {
		return err
	}
	config.Listen, config.Rate, config.Burst, config.Ready, config.FirstKey, config.Console = c.Listen, c.Rate, c.Burst, ready, firstKey, pages
	return server.Serve(ctx, config)
}

type apiCommand struct {
	serviceFlags
	childFlags
	callerFlags
	consoleFlags
	Prechecks bool `env:"HEYAN_PRECHECKS" default:"true" negatable:"" help:"Answer pre-checks, with engine children of this process."`
}

func (c *apiCommand) Run(ctx context.Context, std standard) error {
	config, err := c.config()
	if err == nil && c.Prechecks {
		config.Engine, err = c.engine()
	}
	if err == nil {
		config.Console, err = c.console(std)
	}
	if err != nil {
		return err
	}
	config.Listen, config.Rate, config.Burst, config.FirstKey = c.Listen, c.Rate, c.Burst, firstKey(std)
	config.Ready = func(address net.Addr) { fmt.Fprintf(std.out, "heyan: API on http://%s\n", address) }
	return server.ServeAPI(ctx, config)
}

type workerCommand struct {
	serviceFlags
	childFlags
	Listen string `default:"127.0.0.1:9090" env:"HEYAN_WORKER_LISTEN" help:"Address of /healthz and /metrics."`
}

func (c *workerCommand) Run(ctx context.Context, std standard) error {
	config, err := c.config()
	if err == nil {
		config.Engine, err = c.engine()
	}
	if err != nil {
		return err
	}
	config.Listen = c.Listen
	config.Ready = func(address net.Addr) { fmt.Fprintf(std.out, "heyan: worker, probes on http://%s\n", address) }
	return server.ServeWorker(ctx, config)
}

// reviewReport hands a picture that we failed on to a person.
func reviewReport(s report.Submission, code string) report.Report {
	r := systemReport(s, code, "every attempt failed")
	r.Outcome = report.OutcomeReview
	return r
}
