// Command gcs_emulator is Google Cloud Storage on a loopback port, in memory, for tests.
//
// The objects are kept by fake-gcs-server; what it lacks and a loader needs to be tested (preconditions everywhere,
// moves, rewrites in several calls, the XML API, pages, holds, faults) stands in front of it. What is asked for and not
// there is refused, never ignored. The program prints its address and ends when its standard input is closed, so it
// does not outlive the tests that started it.
//
// Besides Google's two APIs it answers
//
//	GET    /_emulator/counts   how many requests of each class there were (counts.go)
//	DELETE /_emulator/counts   count from 0 again
//	POST   /_emulator/faults   what shall go wrong with the next requests (faults.go)
//	DELETE /_emulator/faults   let everything work again
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
)

type names []string

func (n *names) String() string { return fmt.Sprint([]string(*n)) }

func (n *names) Set(name string) error {
	*n = append(*n, name)
	return nil
}

func main() {
	var buckets names
	port := flag.Int("port", 0, "port on 127.0.0.1; 0 takes a free one")
	chunk := flag.Int64("rewrite-chunk", 0, "bytes that one rewrite call copies at most; 0 copies everything at once")
	flag.Var(&buckets, "bucket", "a bucket to create; may be repeated")
	flag.Parse()

	emulator, err := newEmulator(*chunk, buckets)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(*port)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	go func() {
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			log.Print(err)
		}
		os.Exit(0)
	}()
	log.Fatal(http.Serve(listener, emulator))
}
