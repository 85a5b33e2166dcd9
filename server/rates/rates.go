// Package rates bounds how often each of many callers may do something. It knows
// names and times; it must not know what a caller is or does.
package rates

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxCallers bounds the memory of limits, some 100 bytes each.
const maxCallers = 10_000

// Limits are the rates of callers by name, each the same. They are safe for
// concurrent use.
type Limits struct {
	every    rate.Limit // a second
	burst    int
	mu       sync.Mutex
	byCaller map[string]*rate.Limiter
}

// New lets each caller do something so often a second, and so often at once.
func New(every float64, burst int) *Limits {
	return &Limits{every: rate.Limit(every), burst: burst, byCaller: map[string]*rate.Limiter{}}
}

// Wait counts one for a caller, or says after how long he may come again.
func (l *Limits) Wait(caller string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter, ok := l.byCaller[caller]
	if !ok {
		l.makeRoom(now)
		limiter = rate.NewLimiter(l.every, l.burst)
		l.byCaller[caller] = limiter
	}
	reserved := limiter.ReserveN(now, 1)
	wait := reserved.DelayFrom(now)
	if wait > 0 {
		reserved.CancelAt(now)
	}
	return wait
}

// makeRoom forgets the callers that have their whole burst again: nothing is lost
// with them. When all are busy one of them gets a new burst.
func (l *Limits) makeRoom(now time.Time) {
	if len(l.byCaller) < maxCallers {
		return
	}
	for caller, limiter := range l.byCaller {
		if limiter.TokensAt(now) >= float64(l.burst) {
			delete(l.byCaller, caller)
		}
	}
	for caller := range l.byCaller {
		if len(l.byCaller) < maxCallers {
			return
		}
		delete(l.byCaller, caller)
	}
}
