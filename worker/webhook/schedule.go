package webhook

import "time"

// schedule are the delays after a failed attempt, as Standard Webhooks
// recommends them. With the first attempt a delivery gets ten within three days.
var schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// jitter spreads what failed together, as a share of the delay.
const jitter = 0.2

// disableAfter is how long an endpoint does nothing but fail before it is
// disabled.
const disableAfter = 5 * 24 * time.Hour

// nextAttempt is when to try again after an attempt at now that failed as did
// the given number before it; zero to give up. chance is in 0..1.
func nextAttempt(now time.Time, before int, chance float64) time.Time {
	if before >= len(schedule) {
		return time.Time{}
	}
	delay := schedule[before]
	return now.Add(delay + time.Duration((chance-0.5)*jitter*float64(delay)))
}
