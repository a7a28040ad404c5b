// Single ops, and steps through the graph, by Google Benchmark:
//
//   build/release/bin/bench_ops --benchmark_filter='exp/.*'
#include <benchmark/benchmark.h>

#include "ops.h"

namespace {

using namespace eigengrad;

Tensor operand(const std::string& name, std::int64_t size) {
  const auto [low, high] = bench::range_of(name);
  return rand({size}) * (high - low) + low;
}

void run_op(benchmark::State& state, const std::string& name, bench::Op op) {
  const NoGrad no_grad;
  const Tensor x = operand(name, state.range(0)), y = operand(name, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(op(x, y));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// The same with its gradient.
void run_with_gradient(benchmark::State& state, const std::string& name, bench::Op op) {
  Tensor x = operand(name, state.range(0));
  const Tensor y = operand(name, state.range(0));
  x.set_requires_grad();
  for (auto _ : state) {
    sum(op(x, y)).backward();
    x.zero_grad();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
bool has_gradient(bench::Op op) {
  const Tensor x = ones({100}).set_requires_grad();
  return op(x, x).requires_grad();
}

void run_product(benchmark::State& state) {
  const NoGrad no_grad;
  const std::int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  const Tensor a = randn({m, k}), b = randn({k, n});
  for (auto _ : state) benchmark::DoNotOptimize(matmul(a, b));
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * static_cast<double>(m * n * k), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(run_product)->Name("matmul")->ArgsProduct({{1, 64, 512}, {128, 512}, {128, 784}});

void run_convolution(benchmark::State& state) {
  const NoGrad no_grad;
  const std::int64_t channels = state.range(0), extent = state.range(1);
  const Tensor x = randn({32, channels, extent, extent}), weight = randn({channels, channels, 3, 3});
  for (auto _ : state) benchmark::DoNotOptimize(conv2d(x, weight, Tensor(), {.stride = 1, .padding = 1}));
  const double flops = 2e-9 * 32 * 9 * static_cast<double>(channels * channels * extent * extent);
  state.counters["GFLOP/s"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(run_convolution)->Name("conv2d")->Args({16, 32})->Args({64, 32})->Args({256, 8});

}  // namespace

int main(int argc, char** argv) {
  for (const auto& [name, op] : bench::ops())
    for (const std::int64_t size : {1000, 100'000, 10'000'000}) {
      benchmark::RegisterBenchmark(name.c_str(), run_op, name, op)->Arg(size)->UseRealTime();
      if (has_gradient(op) && size < 1'000'000)
        benchmark::RegisterBenchmark((name + "_with_gradient").c_str(), run_with_gradient, name, op)
            ->Arg(size)
            ->UseRealTime();
    }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
