package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Sysctl sets a sysctl of the host's namespace, as `sysctl -w name=value` would there. The name is dotted and starts
// with "net.": net.ipv4.tcp_fin_timeout. It ends with the lab and is never set anywhere else.
func (h *Host) Sysctl(name, value string) error {
	path, err := sysctlPath(name)
	if err != nil {
		return err
	}
	return h.Do(func() error { return h.writeSysctl(path, value) })
}

// sysctlPath allows only what belongs to a network namespace.
func sysctlPath(name string) (string, error) {
	path := strings.ReplaceAll(name, ".", "/")
	if !strings.HasPrefix(path, "net/") || strings.Contains(path, "//") || strings.HasSuffix(path, "/") || strings.ContainsRune(name, '/') {
		return "", fmt.Errorf("lab: sysctl %q: want a dotted name that starts with net., such as net.ipv4.tcp_fin_timeout", name)
	}
	return "/proc/sys/" + path, nil
}

// writeSysctl writes below /proc/sys/net, whose meaning is the calling thread's namespace; so it looks first where it
// is: a mistake here would change the machine.
func (h *Host) writeSysctl(path, value string) error {
	if err := h.onHost(); err != nil {
		return err
	}
	// Not os.WriteFile: what is missing must not be created, and one write(2) is one value.
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("lab: %s: %w", h.Name, err)
	}
	_, err = f.WriteString(value + "\n")
	return errors.Join(err, f.Close())
}

// onHost tells whether the calling thread is in the host's namespace.
func (h *Host) onHost() error {
	var st unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &st); err != nil {
		return fmt.Errorf("lab: stat /proc/thread-self/ns/net: %w", err)
	}
	if st.Ino != h.inode {
		return errNotOnHost
	}
	return nil
}

// quietIPv6 keeps the interfaces that are made after it from talking on their own – duplicate address detection, router
// solicitations – and tells whether there is IPv6 at all. Where /proc/sys is read-only, as in many containers, they
// talk: the wire does not carry it.
func (h *Host) quietIPv6() (bool, error) {
	const conf = "/proc/sys/net/ipv6/conf/"
	if _, err := os.Stat(conf); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	for _, s := range []struct{ name, value string }{
		{"default/accept_dad", "0"},
		{"default/accept_ra", "0"},
		{"default/autoconf", "0"},
		{"default/router_solicitations", "0"},
		{"default/disable_ipv6", "0"},
		{"all/disable_ipv6", "0"},
	} {
		if err := h.writeSysctl(conf+s.name, s.value); err != nil && !errors.Is(err, unix.EROFS) {
			return false, err
		}
	}
	disabled, err := os.ReadFile(conf + "default/disable_ipv6")
	if err != nil {
		return false, fmt.Errorf("lab: %s: %w", h.Name, err)
	}
	return strings.TrimSpace(string(disabled)) == "0", nil
}
