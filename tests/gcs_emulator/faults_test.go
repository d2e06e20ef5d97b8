package main

import (
	"testing"
	"time"
)

func TestRequestsAreCountedByClass(t *testing.T) {
	c := start(t, 2)
	c.put("a", "1234")
	c.content("a")
	c.generation("a")
	c.names("")
	first := c.ask(200, "POST", object("a")+"/rewriteTo/b/b/o/b", "").json(t)
	c.ask(200, "POST", object("a")+"/rewriteTo/b/b/o/b?rewriteToken="+first["rewriteToken"].(string), "")
	c.ask(200, "POST", object("a")+"/copyTo/b/b/o/c", "")
	c.ask(200, "POST", object("a")+"/moveTo/o/d", "")
	c.ask(200, "PATCH", object("d"), "{}")
	c.ask(204, "DELETE", object("d"), "")
	c.ask(200, "PUT", "/b/e", "")
	c.ask(200, "GET", "/b/e", "")
	c.ask(200, "HEAD", "/b/e", "")
	c.ask(204, "DELETE", "/b/e", "")
	c.ask(200, "GET", "/b?list-type=2", "")
	want := map[string]float64{
		"acl": 0, "batch": 0, "bucket": 0, "compose": 0, "copy": 1, "delete": 2, "list": 2, "media": 2, "metadata": 2, "move": 1, "patch": 1,
		"rewrite": 2, "upload": 2,
	}
	counted := c.ask(200, "GET", "/_emulator/counts", "").json(t)
	for operation, count := range want {
		if counted[operation] != count {
			t.Errorf("%s: %v, want %v", operation, counted[operation], count)
		}
	}
	c.ask(200, "DELETE", "/_emulator/counts", "")
	for operation, count := range c.ask(200, "GET", "/_emulator/counts", "").json(t) {
		if count != 0.0 {
			t.Errorf("%s: %v after the reset", operation, count)
		}
	}
}

func TestAStatusIsAnsweredAsOftenAsItIsWanted(t *testing.T) {
	c := start(t, 0)
	c.put("o", "content")
	c.ask(200, "POST", "/_emulator/faults", `[
		{"method": "POST", "path": "moveTo", "times": 2, "status": 503},
		{"operation": "delete", "skip": 1, "status": 403, "body": "{\"held\": true}"}
	]`)
	move := object("o") + "/moveTo/o/to"
	for range 2 {
		c.ask(503, "POST", move, "")
		equal(t, c.content("o"), "content")
	}
	c.ask(200, "POST", move, "")
	c.ask(404, "DELETE", object("o"), "")
	equal(t, c.ask(403, "DELETE", object("to"), "").body, `{"held": true}`)
	c.ask(204, "DELETE", object("to"), "")

	c.ask(200, "POST", "/_emulator/faults", `{"times": -1, "status": 429}`)
	for range 3 {
		c.ask(429, "GET", "/storage/v1/b/b/o", "")
	}
	c.ask(200, "DELETE", "/_emulator/faults", "")
	c.names("")
	for _, wrong := range []string{`{"drop_answer": true}`, `no`} {
		c.ask(400, "POST", "/_emulator/faults", wrong)
	}
}

func TestConnectionsBreakBeforeAndAfterTheOperation(t *testing.T) {
	c := start(t, 0)
	c.put("o", "content")
	c.ask(200, "POST", "/_emulator/faults", `[{"path": "/moveTo/", "drop_request": true}, {"path": "/moveTo/", "drop_reply": true}]`)
	move := object("o") + "/moveTo/o/to"
	if lost := c.try("POST", move, ""); lost.err == nil {
		t.Fatal("there was an answer")
	}
	equal(t, c.names(""), []string{"o"})
	if lost := c.try("POST", move, ""); lost.err == nil {
		t.Fatal("there was an answer")
	}
	equal(t, c.names(""), []string{"to"})
	c.ask(404, "POST", move, "")
}

func TestContentIsCutOrChanged(t *testing.T) {
	c := start(t, 0)
	c.put("o", "0123456789")
	c.ask(200, "POST", "/_emulator/faults", `[{"operation": "media", "cut_after_bytes": 4}, {"operation": "media", "corrupt": true}]`)
	cut := c.try("GET", object("o")+"?alt=media", "")
	equal(t, []string{cut.body, cut.header.Get("Content-Length")}, []string{"0123", "10"})
	if cut.err == nil {
		t.Fatal("a cut answer must end with an error")
	}
	changed := c.content("o")
	different := 0
	for i := range changed {
		if changed[i] != "0123456789"[i] {
			different++
		}
	}
	equal(t, []int{len(changed), different}, []int{10, 1})
	equal(t, c.content("o"), "0123456789")
}

func TestAnAnswerIsDelayedWithoutHoldingUpOthers(t *testing.T) {
	c := start(t, 0)
	c.ask(200, "POST", "/_emulator/faults", `{"path": "/slow", "delay_seconds": 1.5}`)
	began := time.Now()
	slow := make(chan time.Duration, 1)
	go func() {
		c.try("GET", object("slow"), "")
		slow <- time.Since(began)
	}()
	c.ask(404, "GET", object("other"), "")
	select {
	case <-slow:
		t.Fatal("the other request had to wait")
	default:
	}
	if waited := <-slow; waited < 1500*time.Millisecond {
		t.Fatalf("answered after %s", waited)
	}
}
