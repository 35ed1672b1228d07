module socklife/internal/bench

go 1.26.0

require (
	github.com/mdlayher/netlink v1.11.2
	github.com/panjf2000/gnet/v2 v2.9.4
	github.com/vishvananda/netlink v1.3.1
	golang.org/x/sys v0.49.0
	socklife v0.0.0
)

require (
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/mdlayher/socket v0.6.0 // indirect
	github.com/panjf2000/ants/v2 v2.11.3 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/vishvananda/netns v0.0.5 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	go.uber.org/zap v1.27.0 // indirect
	golang.org/x/net v0.53.0 // indirect
	golang.org/x/sync v0.20.0 // indirect
	gopkg.in/natefinch/lumberjack.v2 v2.2.1 // indirect
)

replace socklife => ../..
