package main

import (
	"fmt"
	"io"
	"strings"

	"socklife/internal/echo"
	"socklife/sockapi"
)

// ends are lines about connections that are over. They are written beside the server, whose clients do not wait for
// whoever reads them; beyond many that wait they are counted.
type ends struct {
	lines   chan string
	written chan struct{}
	lost    int
}

// tellEnds has a line written about each connection that ends.
func tellEnds(w io.Writer, events *echo.Events, l *limits) *ends {
	e := &ends{lines: make(chan string, 4096), written: make(chan struct{})}
	go func() {
		defer close(e.written)
		for line := range e.lines {
			io.WriteString(w, line)
		}
	}()
	narrated := events.Closed
	events.Closed = func(s *sockapi.Socket, r echo.ConnReport) {
		if narrated != nil {
			narrated(s, r)
		}
		select {
		case e.lines <- "echod: " + endOf(r, l) + "\n":
		default:
			e.lost++
		}
	}
	return e
}

// close waits until all is written.
func (e *ends) close() {
	if e == nil {
		return
	}
	if e.lost > 0 {
		e.lines <- fmt.Sprintf("echod: of %d connections more nothing was said: these lines were not read so fast\n", e.lost)
	}
	close(e.lines)
	<-e.written
}

// endOf says whose connection ended, how or by which limit, and after how many bytes.
func endOf(r echo.ConnReport, l *limits) string {
	s := fmt.Sprintf("%s: %s%s, %s echoed%s", r.Peer, r.Reason, l.endedBy(r.Reason), count(r.BytesOut, "byte"), owed(r.BytesIn-r.BytesOut))
	if r.Reason == echo.Failed && r.Err != nil {
		s += ": " + r.Err.Error()
	}
	return s
}

// summary is the report in one line.
func summary(r echo.Report) string {
	s := count(r.Accepted, "connection")
	var how []string
	for _, end := range []struct {
		n    int64
		word string
	}{{r.Finished, "finished"}, {r.Resets, "reset"}, {r.Idle, "idle"}, {r.Drained, "drained"}, {r.Cut, "cut"}, {r.Failed, "failed"}} {
		if end.n > 0 {
			how = append(how, fmt.Sprintf("%d %s", end.n, end.word))
		}
	}
	if len(how) > 0 {
		s += ": " + strings.Join(how, ", ")
	}
	if r.BytesIn > 0 {
		s += fmt.Sprintf("; %s in, %d out%s", count(r.BytesIn, "byte"), r.BytesOut, owed(r.BytesIn-r.BytesOut))
	}
	return s
}

// owed says how many bytes were read and never echoed, if any.
func owed(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d not echoed", n)
}

func count(n int64, of string) string {
	if n != 1 {
		of += "s"
	}
	return fmt.Sprintf("%d %s", n, of)
}
