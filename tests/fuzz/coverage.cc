// Tells libFuzzer where the program has been. g++ calls one function at every edge; libFuzzer watches counters in a
// section of this name. (Its own function of that name does nothing: the linker wraps it.)
#include <cstddef>
#include <cstdint>

namespace {

constexpr std::size_t kCounters = std::size_t{1} << 15;
__attribute__((section("__libfuzzer_extra_counters"))) std::uint8_t counters[kCounters];

}  // namespace

extern "C" void __wrap___sanitizer_cov_trace_pc() {
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  ++counters[(place ^ place >> 16) % kCounters];
}
