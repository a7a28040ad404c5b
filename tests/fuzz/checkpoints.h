// Hostile checkpoints of small training runs.
#pragma once

#include <string>

namespace eigengrad::fuzz {

/// Changes a good checkpoint as a file says, and has the run that wrote it load it and train on for a step. The file is
/// one byte, the number of the run, plus 0 to change the tensors that are loaded, 128 to change the files and make
/// their checksums right, 192 to change the files and nothing else; then changes, see Change in checkpoints.cc. Throws
/// IoError; FormatError when the checkpoint is refused; and std::logic_error when the run has not taken over exactly
/// what was in it.
void read_checkpoint(const std::string& path);

}  // namespace eigengrad::fuzz
