// Models in ONNX, for onnxruntime and other programs that run networks.
#pragma once

#include <cstdint>
#include <string>

#include "eigengrad/nn/module.h"

namespace eigengrad::io {

struct OnnxOptions {
  std::int64_t opset = 17;             ///< version of ONNX's operators, 17 to 21
  std::string producer = "eigengrad";  ///< the program that is named in the file
};

/// The model as an ONNX file: what it computes in evaluation, for inputs of a shape (without the batch axis, which
/// stays open). Parameters keep their names; dropout is left out; recurrent layers become LSTM, GRU and RNN, attention
/// and what ONNX has no operator for are composed. The input is called "input" and is int64 where an Embedding reads
/// it, else float32; the output is called "output". Throws ValueError, naming the layer, for one that ONNX cannot
/// express or that is not known, and for an opset outside the range; DtypeError unless the parameters are float32.
std::string to_onnx(nn::Module& model, const Shape& input, const OnnxOptions& options = {});

/// Writes it. Throws as above, and IoError.
void save_onnx(const std::string& path, nn::Module& model, const Shape& input, const OnnxOptions& options = {});

}  // namespace eigengrad::io
