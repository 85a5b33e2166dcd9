package server

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/heyan/heyan/storage/records"
)

// Refusals that operations share.
var (
	bodyErrors = []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType}
	idErrors   = []int{http.StatusNotFound}
)

// operation is one of those that take a key.
func operation(id, method, path string, scope records.Scope, summary string, errors ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Security: needs(scope),
		Errors: append(errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity,
			http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable),
	}
}

func accepted(o huma.Operation, status int) huma.Operation {
	o.DefaultStatus = status
	return o
}

func (a *API) register(api huma.API) {
	const (
		get, post, put, del         = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
		submit, read, review, admin = records.ScopeSubmit, records.ScopeRead, records.ScopeReview, records.ScopeAdmin
		conflict, gone, created     = http.StatusConflict, http.StatusGone, http.StatusCreated
	)
	both := func(lists ...[]int) (all []int) {
		for _, list := range lists {
			all = append(all, list...)
		}
		return all
	}

	o := accepted(operation("submit", post, "/v1/verifications", submit, "Submit a photo with what was declared",
		both(bodyErrors, []int{conflict})...), http.StatusAccepted)
	o.Description = "202 says that photo and record are safely stored and will be verified."
	huma.Register(api, o, a.submit)
	o = accepted(operation("resubmit", post, "/v1/verifications/{id}/resubmissions", submit, "Another attempt after one that did not pass",
		both(bodyErrors, idErrors, []int{conflict, gone})...), http.StatusAccepted)
	o.Description = "The picture is new; what is not declared anew is taken over from the attempt before."
	huma.Register(api, o, a.resubmit)
	huma.Register(api, operation("get", get, "/v1/verifications/{id}", read, "Status and report of a verification", idErrors...), a.get)
	huma.Register(api, operation("list", get, "/v1/verifications", read, "Verifications, newest first", http.StatusBadRequest), a.list)
	huma.Register(api, operation("attempts", get, "/v1/verifications/{id}/attempts", read,
		"All attempts that resubmissions link to this one, oldest first", idErrors...), a.attempts)
	huma.Register(api, operation("picture", get, "/v1/verifications/{id}/picture", review, "The picture as it was submitted; audited",
		both(idErrors, []int{gone})...), a.picture)
	o = operation("unmask", post, "/v1/verifications/{id}/unmask", review, "What was declared, personal data too; audited",
		both(bodyErrors, idErrors, []int{gone})...)
	huma.Register(api, o, a.unmask)
	o = operation("erase", del, "/v1/verifications/{id}", admin, "Erase picture, report and what was declared", both(idErrors, []int{conflict})...)
	o.Description = "Outcome, reason codes and hashes stay. A repeat changes nothing."
	huma.Register(api, o, a.erase)
	o = operation("precheck", post, "/v1/prechecks", submit, "Tell at once whether a photo is worth submitting", bodyErrors...)
	o.Description = "Judges the picture alone and stores nothing. Answered 503 with Retry-After while the engine is busy."
	huma.Register(api, o, a.precheck)
	huma.Register(api, accepted(operation("upload", post, "/v1/uploads", submit,
		"An address to which one picture can be put without a key", bodyErrors...), created), a.upload)
	huma.Register(api, huma.Operation{
		OperationID: "put", Method: put, Path: "/v1/uploads/{token}",
		Summary: "Put a picture, where the service has no S3 server of its own to put it to", DefaultStatus: http.StatusNoContent,
		Errors: both(bodyErrors, []int{http.StatusForbidden, conflict, http.StatusServiceUnavailable}),
	}, a.put)

	huma.Register(api, operation("organizations", get, "/v1/organizations", read, "Organizations and where they stand", http.StatusBadRequest), a.organizations)
	huma.Register(api, operation("organization", get, "/v1/organizations/{id}", read, "Where an organization stands, with all its certifications", idErrors...), a.organization)
	huma.Register(api, operation("dissolution_check", get, "/v1/organizations/{id}/dissolution-check", read,
		"Whether an organization may be dissolved, or why not", idErrors...), a.dissolutionCheck)
	huma.Register(api, operation("revoke_certification", post, "/v1/organizations/{id}/revoke", admin,
		"Take a certification away; audited", both(bodyErrors, idErrors, []int{conflict})...), a.revoke)
	o = operation("cancel_certification", post, "/v1/organizations/{id}/cancel", admin, "Give a certification up; audited",
		both(bodyErrors, idErrors, []int{conflict})...)
	o.Description = "What was handed in before certifies nothing any more."
	huma.Register(api, o, a.cancel)
	huma.Register(api, accepted(operation("dissolve", post, "/v1/organizations/{id}/dissolve", admin,
		"Dissolve an organization; audited", both(bodyErrors, idErrors, []int{conflict})...), http.StatusNoContent), a.dissolve)

	a.registerBatches(api)

	huma.Register(api, accepted(operation("create_key", post, "/v1/keys", admin, "Make a key; its token is shown once", bodyErrors...), created), a.createKey)
	huma.Register(api, operation("keys", get, "/v1/keys", admin, "Keys, oldest first, those revoked or expired too"), a.keys)
	huma.Register(api, accepted(operation("revoke_key", del, "/v1/keys/{id}", admin, "End a key for good", idErrors...), http.StatusNoContent), a.revokeKey)

	huma.Register(api, accepted(operation("create_endpoint", post, "/v1/webhook-endpoints", admin,
		"Send events to a URL; its signing secret is shown once", bodyErrors...), created), a.createEndpoint)
	huma.Register(api, operation("endpoints", get, "/v1/webhook-endpoints", admin, "Webhook endpoints, oldest first"), a.endpoints)
	o = operation("rotate_endpoint", post, "/v1/webhook-endpoints/{id}/rotate", admin, "A new signing secret, shown once", idErrors...)
	o.Description = "Events are signed with the secret before as well, until the next rotation: rotate twice to end it at once."
	huma.Register(api, o, a.rotateEndpoint)
	huma.Register(api, accepted(operation("enable_endpoint", post, "/v1/webhook-endpoints/{id}/enable", admin,
		"Take deliveries up again, those that were held first", idErrors...), http.StatusNoContent), a.enableEndpoint)
	huma.Register(api, accepted(operation("disable_endpoint", post, "/v1/webhook-endpoints/{id}/disable", admin,
		"Hold deliveries", idErrors...), http.StatusNoContent), a.disableEndpoint)
	huma.Register(api, accepted(operation("delete_endpoint", del, "/v1/webhook-endpoints/{id}", admin,
		"Forget an endpoint with its deliveries", idErrors...), http.StatusNoContent), a.deleteEndpoint)
	huma.Register(api, operation("events", get, "/v1/events", read, "Events, oldest first"), a.events)
	huma.Register(api, operation("deliveries", get, "/v1/events/{id}/deliveries", read, "Where an event stands on its way to each endpoint", idErrors...), a.deliveries)
	huma.Register(api, accepted(operation("replay", post, "/v1/events/{id}/replay", admin,
		"Deliver an event again, now, to every enabled endpoint that wants it", idErrors...), http.StatusAccepted), a.replay)

	huma.Register(api, operation("sla", get, "/v1/sla", read, "How deadlines were kept, by policy and priority"), a.sla)
	huma.Register(api, operation("audit", get, "/v1/audit", admin, "The audit log, newest first"), a.audit)

	huma.Register(api, huma.Operation{OperationID: "health", Method: get, Path: "/healthz", Summary: "The process answers"}, a.health)
	huma.Register(api, huma.Operation{OperationID: "ready", Method: get, Path: "/readyz", Summary: "Storage and queue answer too",
		Errors: []int{http.StatusServiceUnavailable}}, a.ready)

	// Named only after Register, which would read the bodies into memory by itself.
	registry, paths := api.OpenAPI().Components.Schemas, api.OpenAPI().Paths
	form, object := reflect.TypeFor[submissionForm](), reflect.TypeFor[submissionObject]()
	paths["/v1/verifications"].Post.RequestBody = requestBody(registry, form, object)
	paths["/v1/verifications/{id}/resubmissions"].Post.RequestBody = requestBody(registry, form, object)
	paths[batchesPath].Post.RequestBody = filesBody(registry, reflect.TypeFor[batchForm](), "file", "pictures")
	paths["/v1/prechecks"].Post.RequestBody = requestBody(registry, reflect.TypeFor[precheckForm](), nil)
	for _, kind := range []string{"results", "errors"} {
		content := map[string]*huma.MediaType{}
		for _, media := range resultTypes {
			content[media] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		paths[batchesPath+"/{id}/"+kind].Get.Responses["200"].Content = content
	}
	paths["/v1/verifications/{id}/picture"].Get.Responses["200"].Content = map[string]*huma.MediaType{
		"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	paths["/v1/uploads/{token}"].Put.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"*/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
}

// registerBatches adds the operations on files of many lines.
func (a *API) registerBatches(api huma.API) {
	const get, post, submit, read = http.MethodGet, http.MethodPost, records.ScopeSubmit, records.ScopeRead
	o := accepted(operation("submit_batch", post, batchesPath, submit, "Submit a file of lines, and the pictures they name", bodyErrors...), http.StatusAccepted)
	o.Description = "202 says that the files are safely stored. Lines are read and verified one after the other, each once; bad ones stop nothing."
	huma.Register(api, o, a.submitBatch)
	huma.Register(api, operation("batches", get, batchesPath, read, "Batches, newest first", http.StatusBadRequest), a.listBatches)
	const one = batchesPath + "/{id}"
	huma.Register(api, operation("batch", get, one, read, "Where a batch stands", idErrors...), a.batch)
	huma.Register(api, operation("batch_summary", get, one+"/summary", read, "How a batch came out so far, by outcome and reason", idErrors...), a.batchSummary)
	huma.Register(api, operation("batch_results", get, one+"/results", read, "What became of each line, in the order of the file", idErrors...), a.batchResults)
	huma.Register(api, operation("batch_errors", get, one+"/errors", read, "The bad lines, and what is wrong with each", idErrors...), a.batchErrors)
	for _, steer := range []struct {
		id, summary, action string
		state               records.BatchState
	}{
		{"pause", "Submit no further lines; what was submitted goes on", "batch.paused", records.BatchPaused},
		{"resume", "Go on after a pause", "batch.resumed", records.BatchRunning},
		{"cancel", "Give up the lines that were not submitted", "batch.cancelled", records.BatchCancelled},
	} {
		o := operation(steer.id+"_batch", post, one+"/"+steer.id, submit, steer.summary, http.StatusNotFound, http.StatusConflict)
		huma.Register(api, o, a.setBatch(steer.state, steer.action))
	}
}
