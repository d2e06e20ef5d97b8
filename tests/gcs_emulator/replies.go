package main

import (
	"encoding/json"
	"net/http"
	"strconv"
)

var reasons = map[int]string{
	http.StatusBadRequest:          "invalid",
	http.StatusForbidden:           "forbidden",
	http.StatusNotFound:            "notFound",
	http.StatusPreconditionFailed:  "conditionNotMet",
	http.StatusTooManyRequests:     "rateLimitExceeded",
	http.StatusInternalServerError: "backendError",
	http.StatusServiceUnavailable:  "backendError",
}

type detail struct {
	Message      string `json:"message"`
	Domain       string `json:"domain"`
	Reason       string `json:"reason"`
	LocationType string `json:"locationType,omitempty"`
	Location     string `json:"location,omitempty"`
}

// failure has the shape of Google's errors (documentation: "HTTP status and error codes for JSON").
func failure(status int, message string) reply {
	return failureWith(status, detail{Message: message, Domain: "global", Reason: reasons[status]})
}

func failureWith(status int, cause detail) reply {
	return answerJSON(status, map[string]any{
		"error": map[string]any{"code": status, "message": cause.Message, "errors": []detail{cause}},
	})
}

func conditionNotMet() reply {
	return failureWith(http.StatusPreconditionFailed, detail{
		Message:      "At least one of the pre-conditions you specified did not hold.",
		Domain:       "global",
		Reason:       reasons[http.StatusPreconditionFailed],
		LocationType: "header",
		Location:     "If-Match",
	})
}

func noSuchObject(bucket, name string) reply {
	return failure(http.StatusNotFound, "No such object: "+bucket+"/"+name)
}

func answerJSON(status int, document any) reply {
	body, err := json.Marshal(document)
	if err != nil {
		panic(err) // maps and structs of this program always have JSON
	}
	return reply{status, http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, body}
}

func (r reply) write(w http.ResponseWriter, method string) {
	if method == http.MethodHead {
		r.body = nil
		r.send(w, -1)
		return
	}
	r.send(w, len(r.body))
}

// send announces a body of so many bytes; -1 leaves the header as it is.
func (r reply) send(w http.ResponseWriter, size int) {
	for name, values := range r.header {
		w.Header()[name] = values
	}
	if size >= 0 && r.status != http.StatusNoContent && r.status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(size))
	}
	w.WriteHeader(r.status)
	w.Write(r.body) // a client that went away is no business of the emulator
}
