package view

// Head shows what stands above the first event, before there is one: whoever is asked something wants to know of what.
func (t *Terminal) Head() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.head()
	t.write()
}
