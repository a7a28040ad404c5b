// What instrumented code calls in programs that do not fuzz. libFuzzer's functions, where they are, go before these.
extern "C" {
__attribute__((weak)) void __sanitizer_cov_trace_pc() {}
__attribute__((weak)) void __sanitizer_cov_trace_cmpf(float, float) {}
__attribute__((weak)) void __sanitizer_cov_trace_cmpd(double, double) {}
}
