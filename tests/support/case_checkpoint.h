// The checkpoints of ../shared/cases/llm that are in a container of their own: packed BitNet, and binary weights with scales of groups.
#pragma once

#include <memory>
#include <string>

#include "frontend/checkpoint/checkpoint.h"

namespace bitgrid::test {

/// A file such as bitnet-kjv.safetensors: the configuration stands in its metadata. Its alphabet goes into tokenizer.model.
std::shared_ptr<const frontend::Checkpoint> read_case(const std::string& path);

}  // namespace bitgrid::test
