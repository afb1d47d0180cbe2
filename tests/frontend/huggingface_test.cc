#include "frontend/checkpoint/huggingface.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "frontend/checkpoint/checkpoint.h"
#include "frontend/checkpoint/convert.h"
#include "ir/file.h"
#include "tests/support/errors.h"
#include "tests/support/scratch_folder.h"

namespace bitgrid::frontend {
namespace {

TEST(HuggingFace, SharedFolder) {
  const std::string folder = std::string(BITGRID_SHARED_CASES) + "/llm/bitnet-kjv-hf";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const auto checkpoint = std::make_shared<const Checkpoint>(read_checkpoint(folder));
  EXPECT_EQ(checkpoint->tensors.size(), 3u * 11 + 2);  // scales belong to their matrices
  EXPECT_EQ(checkpoint->tokenizer.kind, TokenizerSource::Kind::kHuggingFace);
  EXPECT_FALSE(find_refusal(*checkpoint).has_value());
}

}  // namespace
}  // namespace bitgrid::frontend
