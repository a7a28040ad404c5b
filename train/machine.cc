#include "eigengrad/train/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/engine.h"

namespace eigengrad::train {
namespace {

// What Linux calls the processor; empty elsewhere.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) {
      const std::size_t colon = line.find(": ");
      return colon == std::string::npos ? "" : line.substr(colon + 2);
    }
  return "";
}

}  // namespace

config::Value machine_facts() {
  config::Value facts = config::Value::object();
  facts.set("version", EIGENGRAD_VERSION);
  if (const std::string name = processor_name(); !name.empty()) facts.set("processor", name);
  facts.set("processors", static_cast<std::int64_t>(std::thread::hardware_concurrency()));
  facts.set("threads", static_cast<std::int64_t>(num_threads()));
  facts.set("instructions", instruction_set());
  facts.set("engine", engine_name());
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
  if (pages > 0 && page > 0) facts.set("memory_bytes", static_cast<std::int64_t>(pages) * page);
  utsname system{};
  if (uname(&system) == 0) facts.set("system", std::string(system.sysname) + " " + system.release);
  return facts;
}

}  // namespace eigengrad::train
