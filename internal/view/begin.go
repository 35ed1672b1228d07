package view

// Begin shows what stands above the first event, before there is one: whoever is asked something wants to know of what.
func (t *Terminal) Begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.head()
	t.write()
}
