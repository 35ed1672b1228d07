package docs

import (
	"fmt"
	"strings"
	"testing"

	"socklife/internal/explain"
)

// The tables of the words that --explain takes, beside states and counters.

// errnosTable has each error of a call, once for each reason.
func errnosTable(*testing.T) string {
	var rows [][]string
	for _, e := range explain.Errnos() {
		for i, why := range e.Calls {
			name, means, seen := code(e.Name), e.Means, pageLinks(e.Seen...)
			if i > 0 {
				name, means, seen = "", "", ""
			}
			rows = append(rows, []string{name, means, why.Calls, why.Why, seen})
		}
	}
	return markdown([]string{"error", "means", "of", "because", "seen in"}, rows)
}

func timersTable(*testing.T) string {
	var rows [][]string
	for _, x := range explain.Timers() {
		rows = append(rows, []string{x.Name, codeOrNone(x.Kernel), x.Does, x.Lasts, strings.Join(x.Governs, "; "), codeOrNone(x.Seen)})
	}
	return markdown([]string{"timer", "in `ss`", "when it runs out", "how long", "governed by", "seen in"}, rows)
}

func optionsTable(*testing.T) string {
	var rows [][]string
	for _, o := range explain.Options() {
		rows = append(rows, []string{code(o.Name), o.Does, o.When, o.Default, o.Man, pageLinks(o.Seen)})
	}
	return markdown([]string{"option", "what it does", "when to use it", "default", "described in", "seen in"}, rows)
}

func callsTable(*testing.T) string {
	var rows [][]string
	for _, c := range explain.Calls() {
		name := code(c.Name)
		for _, also := range c.Also {
			name += ", " + code(also)
		}
		rows = append(rows, []string{name, c.Does, c.Sends, c.Returns, strings.Join(c.Errors(), ", "), pageLinks(c.Seen)})
	}
	return markdown([]string{"call", "what it does", "in TCP", "returns", "may fail with", "seen in"}, rows)
}

func sysctlsTable(*testing.T) string {
	var rows [][]string
	for _, x := range explain.Sysctls() {
		value, unit := codeOrNone(x.Default), x.Unit
		if x.Default == "" {
			value = "empty"
		}
		if x.Varies != "" {
			value += ", " + x.Varies
		}
		switch {
		case x.Gone():
			value = x.Since
		case x.Since != "":
			value += "; " + x.Since
		}
		if x.Host {
			unit += ", of the host"
		}
		page := pageLinks(x.Seen + x.Spoken)
		if section, ok := strings.CutPrefix(x.Spoken, "#"); ok {
			page = fmt.Sprintf("[%s](#%s)", strings.ReplaceAll(section, "-", " "), section)
		}
		rows = append(rows, []string{code(x.Name), value, unit, x.Does, page})
	}
	return markdown([]string{"sysctl", "default", "unit", "what it changes", "page"}, rows)
}

func codeOrNone(s string) string {
	if s == "" {
		return ""
	}
	return code(s)
}

// pageLinks are links to scenarios' pages.
func pageLinks(names ...string) string {
	var links []string
	for _, name := range names {
		if name != "" {
			links = append(links, fmt.Sprintf("[%s](scenarios/%[1]s.md)", name))
		}
	}
	return strings.Join(links, ", ")
}
