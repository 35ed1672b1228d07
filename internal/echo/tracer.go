package echo

import "socklife/sockapi"

// withoutData hides read and write from a Tracer.
type withoutData struct{ sockapi.Tracer }

// dataFilter is t, or t without the data calls.
func dataFilter(t sockapi.Tracer, data bool) sockapi.Tracer {
	if t == nil || data {
		return t
	}
	return withoutData{t}
}

func (w withoutData) Enter(c *sockapi.Call) {
	if !carriesData(c) {
		w.Tracer.Enter(c)
	}
}

func (w withoutData) Exit(c *sockapi.Call) {
	if !carriesData(c) {
		w.Tracer.Exit(c)
	}
}

func carriesData(c *sockapi.Call) bool { return c.Name == "read" || c.Name == "write" }
