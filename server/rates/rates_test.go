package rates

import (
	"fmt"
	"testing"
	"time"
)

func TestLimitsAreBounded(t *testing.T) {
	l := New(1, 1)
	now := time.Now()
	for i := range 2*maxCallers + 7 {
		if i == maxCallers {
			now = now.Add(time.Minute) // all have their burst again
		}
		l.Wait(fmt.Sprint(i), now)
	}
	if len(l.byCaller) > maxCallers {
		t.Errorf("%d limiters", len(l.byCaller))
	}
	if wait := l.Wait(fmt.Sprint(2*maxCallers+6), now); wait <= 0 {
		t.Error("a busy caller was forgotten")
	}
}
