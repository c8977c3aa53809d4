package rollup

import "context"

type attemptsKey struct{}

// WithAttempts has a sink that tries again by itself tell f of each attempt that failed, from any goroutine, before its Write returns.
func WithAttempts(ctx context.Context, f func(error)) context.Context {
	return context.WithValue(ctx, attemptsKey{}, f)
}

// AttemptFailed is for such sinks; nobody may be listening.
func AttemptFailed(ctx context.Context, err error) {
	if f, ok := ctx.Value(attemptsKey{}).(func(error)); ok {
		f(err)
	}
}
