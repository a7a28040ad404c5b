// What the step programs have in common: the numbers that every one of them fills its tensors with, and the commands
// that bench/compare sends them.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>

namespace steps {

/// Number i of a stream of numbers spread evenly over [0, 1): a hash, so that every peer makes the same ones.
inline double uniform(std::uint32_t stream, std::uint32_t i) {
  std::uint32_t h = i * 0x9E3779B1U + stream * 0x85EBCA6BU + 0x165667B1U;
  h ^= h >> 16;
  h *= 0x85EBCA6BU;
  h ^= h >> 13;
  h *= 0xC2B2AE35U;
  h ^= h >> 16;
  return h / 4294967296.0;
}

/// Something to be timed.
struct Workload {
  std::function<double(bool read)> step;  ///< one training step, or one run; the loss, if it is to be read
  double flops = 0;                       ///< of one step; 0 where that says nothing
};

/// A figure of /proc/self/status, in kilobytes.
inline long status_kilobytes(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.rfind(name + ":", 0) == 0) return std::atol(line.c_str() + name.size() + 1);
  return -1;
}

/// Reads commands from standard input until it ends: "load NAME" answers with the flops of a step, "losses N" with the
/// losses of N steps, "run N" with the seconds that N steps take, "memory" with the kilobytes that the process has
/// taken at most since the workload was loaded.
template <class Make>
int serve(Make make) {
  Workload workload;
  long before = 0;
  for (std::string command; std::cin >> command;) try {
      if (command == "load") {
        std::string name;
        std::cin >> name;
        workload = {};
        std::ofstream("/proc/self/clear_refs") << 5;  // begins a new peak
        before = status_kilobytes("VmRSS");
        workload = make(name);
        std::cout << workload.flops;
      } else if (command == "losses") {
        int count = 0;
        std::cin >> count;
        std::cout.precision(9);
        for (int i = 0; i < count; ++i) std::cout << (i ? " " : "") << workload.step(true);
      } else if (command == "run") {
        int count = 0;
        std::cin >> count;
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < count; ++i) workload.step(false);
        std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      } else if (command == "memory") {
        std::cout << status_kilobytes("VmHWM") - before;
      } else {
        std::cout << "error: unknown command " << command;
      }
      std::cout << std::endl;
    } catch (const std::exception& error) {
      std::string text = error.what();
      for (char& c : text)
        if (c == '\n') c = ' ';
      std::cout << "error: " << text << std::endl;
    }
  return 0;
}

}  // namespace steps
