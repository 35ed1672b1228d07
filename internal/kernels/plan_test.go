package kernels

import (
	"os/exec"
	"slices"
	"strings"
)

// testedPackages are those whose tests are played in the guests, too.
var testedPackages = []string{"sockapi", "tcpinfo"}

// A Step is what the guest does: it runs a program, or makes itself another kind of host.
type Step struct {
	Row     string   // what is played: a scenario, the tour, a package's tests; "" of what only prepares
	Form    string   // how: one of the forms
	Where   string   `json:",omitempty"` // what is missing there; "" nothing
	User    string   // root, user
	Argv    []string //
	Dir     string   `json:",omitempty"`
	Seconds int      // it may take
}

func (s Step) String() string {
	if s.Row == "" {
		return strings.Join(s.Argv, " ")
	}
	return strings.TrimSpace(strings.Join([]string{s.Row, s.Form, "as " + s.User, s.Where}, " "))
}

// form is a way to play, by a user.
type form struct {
	name, user string
	flags      []string
}

const (
	oneProcess = "one process"
	onWire     = "--wire"
	traced     = "--trace"
	overIPv6   = "--ipv6"
)

// forms are all that a kernel is played in, but for the tour and the tests.
var forms = []form{
	{oneProcess, "root", nil},
	{oneProcess, "user", nil},
	{onWire, "root", []string{"--wire"}},
	{onWire, "user", []string{"--wire"}},
	{traced, "root", []string{"--trace"}},
}

// patience is how many seconds a scenario may take in a guest; the tour plays them all.
const patience, tourPatience, testsPatience = 180, 900, 300

// prepared is a step that plays nothing.
func prepared(argv ...string) Step { return Step{Argv: argv, User: "root", Seconds: 20} }

// catalogue has the scenarios' names: all, and those that are played on the wire alone.
func catalogue(echoc string) (all []string, wireOnly map[string]bool, err error) {
	out, err := exec.Command(echoc, "--list").Output()
	wireOnly = map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "  ") {
			name := strings.Fields(line)[0]
			all = append(all, name)
			wireOnly[name] = strings.HasSuffix(line, "(--wire)\n")
		}
	}
	return all, wireOnly, err
}

// plays are the scenarios in these forms, in a place where something may be missing.
func plays(all []string, wireOnly map[string]bool, forms []form, where string) (steps []Step) {
	for _, f := range forms {
		for _, name := range all {
			if wireOnly[name] && f.name != onWire {
				continue
			}
			argv := append([]string{"/bin/echoc", "--json"}, append(slices.Clone(f.flags), name)...)
			steps = append(steps, Step{Row: name, Form: f.name, Where: where, User: f.user, Argv: argv, Seconds: patience})
		}
	}
	return steps
}

// The tour and the packages' tests are forms of their own; what they play is not the catalogue.
const (
	tourForm  = "echoc tour"
	testsForm = "tests"
)

// others are the tour, with the kernel's tracepoint where the user may, and the packages' tests.
func others(tour bool, users ...string) (steps []Step) {
	for _, user := range users {
		argv := []string{"/bin/echoc", "--color=never", "tour"}
		if user == "root" {
			argv = append(argv, "--trace")
		}
		if tour {
			steps = append(steps, Step{Row: "tour", Form: tourForm, User: user, Argv: argv, Seconds: tourPatience})
		}
		for _, pkg := range testedPackages {
			steps = append(steps, Step{Row: pkg, Form: testsForm, User: user, Argv: []string{"./test", "-test.v"}, Dir: "/test/" + pkg, Seconds: testsPatience})
		}
	}
	return steps
}

// wholePlan is all of it, where nothing is missing; the short one leaves out what differs least from what it plays.
func wholePlan(all []string, wireOnly map[string]bool, modules map[string][]string, short bool) []Step {
	played := forms
	if short {
		played = []form{forms[0], forms[3]}
	}
	steps := []Step{prepared(append([]string{"load"}, allModules(modules)...)...), prepared("open-tun")}
	return slices.Concat(steps, plays(all, wireOnly, played, ""), others(!short, "root", "user"))
}

func allModules(modules map[string][]string) (list []string) {
	for _, name := range wantedModules {
		list = append(list, modules[name]...)
	}
	return list
}

// Places where something is missing.
const (
	noDiag      = "no tcp_diag module"
	noTun       = "no tun module"
	noTracefs   = "no tracefs mounted"
	hidepid     = "hidepid=2"
	container   = "a container"
	userNS      = "user namespace"
	ipv6Off     = "disable_ipv6=1"
	ipv6Missing = "ipv6.disable=1"
)

var (
	asRoot = []form{forms[0], forms[2], forms[4]}
	asUser = []form{forms[1], forms[3]}

	withoutIPv6 = []form{forms[0], forms[2], {overIPv6, "root", []string{"--ipv6"}}}
)

// missingPlan plays the catalogue in each place in turn; the guest becomes a whole one on the way.
func missingPlan(all []string, wireOnly map[string]bool, modules map[string][]string) []Step {
	at := func(where string, forms []form) []Step { return plays(all, wireOnly, forms, where) }
	through := func(arg string, steps []Step) []Step {
		for i := range steps {
			steps[i].Argv = append([]string{"/init", arg}, steps[i].Argv...)
		}
		return steps
	}
	load := func(name string) Step { return prepared(append([]string{"load"}, modules[name]...)...) }
	return slices.Concat(
		[]Step{load("tun"), prepared("open-tun")}, at(noDiag, asRoot),
		[]Step{load("inet_diag"), load("tcp_diag"), prepared("unload", "tun")}, at(noTun, asRoot),
		[]Step{load("tun"), prepared("open-tun")},
		[]Step{prepared("no-tracefs")}, at(noTracefs, asRoot[2:]),
		[]Step{prepared("hidepid", "2")}, at(hidepid, asUser), []Step{prepared("hidepid", "0")},
		through(insideArg, at(container, asRoot)),
		through(loopbackArg, at(userNS, append(slices.Clone(asUser), form{traced, "user", forms[4].flags}))),
		[]Step{prepared("sysctl", "net.ipv6.conf.all.disable_ipv6", "1"), prepared("sysctl", "net.ipv6.conf.lo.disable_ipv6", "1")},
		at(ipv6Off, withoutIPv6),
	)
}

// withoutIPv6Plan takes a boot of its own.
func withoutIPv6Plan(all []string, wireOnly map[string]bool, modules map[string][]string) []Step {
	steps := []Step{prepared(append([]string{"load"}, allModules(modules)...)...), prepared("open-tun")}
	return append(steps, plays(all, wireOnly, withoutIPv6, ipv6Missing)...)
}
