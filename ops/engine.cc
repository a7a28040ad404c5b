#include "eigengrad/ops/engine.h"

#include <atomic>
#include <cstdlib>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/kernels/engine.h"

namespace eigengrad {
namespace kernels {
namespace {

const Engine& named(std::string_view name) {
  std::string known;
  for (const Engine* const engine : all_engines()) {
    if (engine->name() == name) return *engine;
    known += known.empty() ? "" : ", ";
    known += engine->name();
  }
  EG_CHECK(false, ValueError, "there is no engine \"{}\", expected one of {}", name, known);
}

std::atomic<const Engine*>& setting() {
  static std::atomic<const Engine*> chosen = [] {
    const char* const name = std::getenv("EIGENGRAD_ENGINE");
    return name && *name ? &named(name) : all_engines().front();
  }();
  return chosen;
}

}  // namespace

const std::vector<const Engine*>& all_engines() {
  static const std::vector<const Engine*> all{&own_engine(),
#ifdef EIGENGRAD_ONEDNN
                                              &onednn_engine(),
#endif
                                              &eigen_engine()};
  return all;
}

const Engine& engine() { return *setting().load(std::memory_order_relaxed); }

}  // namespace kernels

std::vector<EngineInfo> engines() {
  std::vector<EngineInfo> all;
  for (const kernels::Engine* const engine : kernels::all_engines())
    all.push_back({std::string(engine->name()), engine->version()});
  return all;
}

std::string engine_name() { return std::string(kernels::engine().name()); }

void set_engine(std::string_view name) { kernels::setting().store(&kernels::named(name), std::memory_order_relaxed); }

std::string instruction_set() {
#if defined(EIGENGRAD_MULTIVERSION)
  return std::string(__builtin_cpu_supports("x86-64-v4")   ? "AVX-512"
                     : __builtin_cpu_supports("x86-64-v3") ? "AVX2"
                                                           : "SSE2") +
         ", chosen at run time";
#elif defined(__AVX512F__)
  return "AVX-512";
#elif defined(__AVX2__)
  return "AVX2";
#elif defined(__SSE2__)
  return "SSE2";
#else
  return "those of every processor of its kind";
#endif
}

}  // namespace eigengrad
