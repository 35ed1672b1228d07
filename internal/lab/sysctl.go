package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"socklife/internal/unsupported"

	"golang.org/x/sys/unix"
)

// Sysctl sets a sysctl of the host's namespace, as `sysctl -w name=value` would there. The name is dotted and starts
// with "net.": net.ipv4.tcp_fin_timeout. It ends with the lab and is never set anywhere else.
func (h *Host) Sysctl(name, value string) error {
	if !strings.HasPrefix(name, "net.") { // all others are the machine's
		return fmt.Errorf("lab: sysctl %q: its name does not begin with %q", name, "net.")
	}
	path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
	return sysctlError(name, value, h.Do(func() error { return h.writeSysctl(path, value) }))
}

// sysctlError says what to do about it.
func sysctlError(name, value string, err error) error {
	switch {
	case errors.Is(err, unix.EROFS):
		return unsupported.New("sysctl "+name+" cannot be set: /proc/sys is read-only", "as in most containers; not in one that is --privileged", err)
	case name == congestionControl && errors.Is(err, unix.EPERM):
		return unsupported.New("congestion control "+value+" is not for every network namespace here",
			"sysctl net.ipv4.tcp_allowed_congestion_control has those that are", err)
	case name == congestionControl && errors.Is(err, fs.ErrNotExist):
		return unsupported.New("this kernel has no congestion control "+value, "sysctl net.ipv4.tcp_available_congestion_control has those that it has", err)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return unsupported.New("sysctl "+name+" cannot be set by this user", "run as root", err)
	case errors.Is(err, fs.ErrNotExist):
		return unsupported.New("there is no sysctl "+name+" of a network namespace here", "ls /proc/sys/net has those of this kernel", err)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ERANGE):
		return unsupported.New(fmt.Sprintf("sysctl %s=%s: this kernel takes no such value", name, value), err.Error(), err)
	}
	return err
}

// congestionControl has values that are modules, for all namespaces or for the first alone (TCP_CONG_NON_RESTRICTED).
const congestionControl = "net.ipv4.tcp_congestion_control"

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

// enableIPv6 tells whether there is IPv6, on the interfaces that are made after it. They get no fe80:: address, and
// with that they have nothing to say on their own. Where /proc/sys is read-only, as in many containers, they talk: the
// wire does not carry it.
func (h *Host) enableIPv6() (bool, error) {
	const conf = "/proc/sys/net/ipv6/conf/"
	if _, err := os.Stat(conf); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	for _, s := range []struct{ name, value string }{
		{"default/addr_gen_mode", "1"}, // IN6_ADDR_GEN_MODE_NONE of linux/if_link.h
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
