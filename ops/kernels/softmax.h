// Softmax along one axis of row-major data, and what belongs to it. For float and double.
#pragma once

#include "eigengrad/ops/kernels/axis.h"

namespace eigengrad::kernels {

/// out = e^(x - max) / Σ e^(x - max)
template <class T>
void softmax(const AxisView& view, const T* x, T* out);
/// out = x - max - log Σ e^(x - max)
template <class T>
void log_softmax(const AxisView& view, const T* x, T* out);
/// out = y (g - Σ g y), given y = softmax(x)
template <class T>
void softmax_grad(const AxisView& view, const T* y, const T* g, T* out);
/// out = g - e^y Σ g, given y = log_softmax(x)
template <class T>
void log_softmax_grad(const AxisView& view, const T* y, const T* g, T* out);

/// What a cross entropy makes of its targets: the distribution q of one sample has (1 - smoothing)·w at the target and
/// smoothing / classes·w everywhere. A target of `ignored` has q = 0.
template <class T>
struct Targets {
  const std::int64_t* classes;  // [outer, inner]
  const T* weights;             // [extent]; null stands for all 1
  std::int64_t ignored;
  T smoothing;
};
/// The distributions q themselves.
template <class T>
void target_distribution(const AxisView& view, const Targets<T>& targets, T* q);
/// loss = Σ q·(-log softmax(x)) of each of the [outer, inner] samples.
template <class T>
void cross_entropy(const AxisView& view, const T* x, const Targets<T>& targets, T* loss);
/// out = scale·(softmax(x) Σ q - q). There is one scale, or one for each sample.
template <class T>
void cross_entropy_grad(const AxisView& view, const T* x, const Targets<T>& targets, const T* scale, bool one_scale,
                        T* out);

}  // namespace eigengrad::kernels
