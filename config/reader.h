// The strict JSON reader: everything of a user's that is JSON passes through here.
#pragma once

#include <string>
#include <string_view>

#include "eigengrad/config/value.h"

namespace eigengrad::config {

/// Limits that keep a hostile text from costing more than its size: bytes of text,
inline constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
/// arrays and objects within each other,
inline constexpr int kMaxDepth = 64;
/// and values.
inline constexpr std::size_t kMaxValues = 250'000;  // a value takes far more memory than its two bytes of text

/// The value that a JSON text (RFC 8259) holds. Refused, with a ConfigError that names `source`, line and column:
/// anything that is not JSON, a byte order mark, comments, text after the value, duplicate keys, nesting deeper than
/// kMaxDepth, more than kMaxValues (a member of an object counts as two), more than kMaxBytes, integers beyond int64,
/// numbers beyond double, invalid UTF-8, NUL characters.
Value parse_json(std::string_view text, const std::string& source = "JSON");

/// The same for a regular file. Throws IoError when it cannot be read.
Value read_json_file(const std::string& path);

/// Sets a value below `root` by a dotted path ("optimizer.lr", "model.layers.0.out_features"), as on a command line.
/// The text is taken as JSON if it is, else as a string. Objects on the way are made when they are missing, and of a
/// name, as of "Adam", for which {"type": "Adam"} stands as well. Throws ConfigError.
void set_by_path(Value& root, std::string_view path, std::string_view text);

}  // namespace eigengrad::config
