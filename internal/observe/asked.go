package observe

import (
	"fmt"

	"socklife/sockapi"
)

// Asked is a call as it is told of before it is made, with what it is about to send: write(8, "hello\n").
func Asked(c *sockapi.Call) string {
	if c.Name != "write" && c.Name != "sendto" {
		return short(c)
	}
	data, whole := c.Data()
	if !whole {
		data = fmt.Sprintf("%d bytes", c.Len)
	}
	return fmt.Sprintf("%s(%d, %s)", c.Name, c.FD, data)
}
