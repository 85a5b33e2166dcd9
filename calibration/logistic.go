package calibration

import (
	"math"
	"slices"

	"github.com/heyan/heyan/quality"
)

// example is one line to fit: the inputs in a fixed order, and what became of it.
type example struct {
	inputs []quality.Input
	lost   bool
}

// fitLogistic fits a logistic regression with a ridge by iteratively reweighted least
// squares. Inputs are made so that 1 is grave harm: what is seldom seen gets no weight
// beyond all measure. No weight is negative: all inputs rise with the harm, and nothing
// bad may speak for a picture. Inputs whose weight would be are left out, the most
// negative first.
func fitLogistic(examples []example, ridge float64) quality.Logistic {
	lost := 0
	for _, e := range examples {
		if e.lost {
			lost++
		}
	}
	if lost == 0 || lost == len(examples) { // nothing to tell apart: half an event on each side
		return quality.Logistic{Intercept: math.Log((float64(lost) + 0.5) / (float64(len(examples)-lost) + 0.5))}
	}
	used := make([]int, len(examples[0].inputs))
	for k := range used {
		used[k] = k
	}
	for {
		beta := reweighted(examples, used, ridge)
		worst := 0
		for i := 1; i < len(beta); i++ {
			if beta[i] <= 0 && (worst == 0 || beta[i] < beta[worst]) {
				worst = i
			}
		}
		if worst > 0 {
			used = slices.Delete(used, worst-1, worst)
			continue
		}
		model := quality.Logistic{Intercept: beta[0], Weights: map[string]float64{}}
		for i, k := range used {
			model.Weights[examples[0].inputs[k].Name] = beta[i+1]
		}
		return model
	}
}

const (
	mostRounds = 50
	converged  = 1e-8
)

// reweighted gives the intercept and the weights of the used inputs.
func reweighted(examples []example, used []int, ridge float64) []float64 {
	n := len(used) + 1
	beta, x := make([]float64, n), make([]float64, n)
	x[0] = 1
	for range mostRounds {
		hessian, gradient := make([][]float64, n), make([]float64, n)
		for i := range hessian {
			hessian[i] = make([]float64, n)
		}
		for _, e := range examples {
			logit := beta[0]
			for i, k := range used {
				x[i+1] = e.inputs[k].Value
				logit += beta[i+1] * x[i+1]
			}
			p := quality.Probability(logit)
			for i := range x {
				gradient[i] += (one(e.lost) - p) * x[i]
				for j := range x {
					hessian[i][j] += p * (1 - p) * x[i] * x[j]
				}
			}
		}
		for i := 1; i < n; i++ {
			hessian[i][i] += ridge
			gradient[i] -= ridge * beta[i]
		}
		largest := 0.0
		for i, step := range solve(hessian, gradient) {
			beta[i] += step
			largest = max(largest, math.Abs(step))
		}
		if largest < converged {
			break
		}
	}
	return beta
}

// solve gives x of a x = b for a symmetric positive definite a, which it destroys
// (Cholesky).
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for i := range n {
		for j := range i + 1 {
			sum := a[i][j]
			for k := range j {
				sum -= a[i][k] * a[j][k]
			}
			if i == j {
				a[i][i] = math.Sqrt(max(sum, 1e-12))
			} else {
				a[i][j] = sum / a[j][j]
			}
		}
	}
	x := make([]float64, n)
	for i := range n {
		x[i] = b[i]
		for k := range i {
			x[i] -= a[i][k] * x[k]
		}
		x[i] /= a[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			x[i] -= a[k][i] * x[k]
		}
		x[i] /= a[i][i]
	}
	return x
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
