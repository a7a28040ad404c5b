#include "eigengrad/core/scope.h"

#include <deque>
#include <map>
#include <mutex>
#include <utility>

namespace eigengrad {
namespace {

struct Table {
  std::mutex mutex;
  std::deque<std::string> paths{""};
  std::map<std::pair<ScopeId, std::string>, ScopeId, std::less<>> ids;
};

// Never destroyed: nodes may outlive every other global.
Table& table() {
  static Table* const instance = new Table;
  return *instance;
}

}  // namespace

ScopeId scope_below(ScopeId parent, std::string_view name) {
  if (name.empty()) return parent;
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  const auto [entry, is_new] = all.ids.try_emplace({parent, std::string(name)}, static_cast<ScopeId>(all.paths.size()));
  if (is_new) {
    const std::string& above = all.paths[parent];
    all.paths.push_back(above.empty() ? std::string(name) : above + "." + std::string(name));
  }
  return entry->second;
}

std::string scope_path(ScopeId id) {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  return all.paths.at(id);
}

}  // namespace eigengrad
