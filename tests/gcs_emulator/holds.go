package main

import (
	"encoding/json"
	"net/http"
)

// holds keep an object from being deleted, overwritten or moved (documentation: "Object holds"). fake-gcs-server
// does not know them.
type holds struct {
	Temporary  *bool `json:"temporaryHold"`
	EventBased *bool `json:"eventBasedHold"`
}

func (h holds) any() bool {
	return (h.Temporary != nil && *h.Temporary) || (h.EventBased != nil && *h.EventBased)
}

// setHolds takes the holds out of the body of a patch; what it does not mention stays.
func (e *emulator) setHolds(asked request) error {
	id := objectPath(asked.bucket, asked.object)
	changed := e.holds[id]
	if err := json.Unmarshal(asked.body, &changed); err != nil {
		return err
	}
	e.holds[id] = changed
	return nil
}

// free checks that no hold forbids to delete, overwrite or move an object.
func (e *emulator) free(bucket, name string) *reply {
	if !e.holds[objectPath(bucket, name)].any() {
		return nil
	}
	held := failure(http.StatusForbidden, "Object '"+bucket+"/"+name+"' is under active hold and cannot be deleted, "+
		"overwritten or moved until the hold is removed.")
	return &held
}
