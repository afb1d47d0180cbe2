#include "bitgrid_sim/fst.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "ir/error.h"

#ifdef BITGRID_FST
#include <fstapi.h>
#endif

namespace bitgrid {

#ifdef BITGRID_FST

bool has_fst() {
  return true;
}

FstFile::FstFile(const std::string& path, const std::string& scope, const std::vector<std::string>& names)
    : path_(path), temporary_(fmt::format("{}.{}.tmp", path, ::getpid())) {
  writer_ = fstWriterCreate(temporary_.c_str(), 1);
  if (!writer_) throw Error(path, "cannot be written", "check that the folder exists and is writable");
  fstWriterSetPackType(writer_, FST_WR_PT_LZ4);
  fstWriterSetDate(writer_, "");  // equal runs write equal bytes
  fstWriterSetComment(writer_, "one timestep a phase; even phases are A");
  fstWriterSetTimescale(writer_, -9);  // a phase has no length of its own; 1 ns makes viewers show phase numbers
  fstWriterSetScope(writer_, FST_ST_VCD_MODULE, scope.c_str(), nullptr);
  for (const std::string& name : names)
    handles_.push_back(fstWriterCreateVar(writer_, FST_VT_VCD_WIRE, FST_VD_IMPLICIT, 1, name.c_str(), 0));
  fstWriterSetUpscope(writer_);
}

FstFile::~FstFile() {
  if (!writer_) return;
  fstWriterClose(writer_);
  remove();
}

void FstFile::remove() const {
  std::remove(temporary_.c_str());
  std::remove((temporary_ + ".hier").c_str());
}

void FstFile::change(uint64_t time, size_t signal, bool value) {
  if (time != time_) fstWriterEmitTimeChange(writer_, time_ = time);
  fstWriterEmitValueChange(writer_, handles_[signal], value ? "1" : "0");
}

void FstFile::finish(uint64_t time) {
  if (!writer_) return;
  if (time != time_) fstWriterEmitTimeChange(writer_, time);
  fstWriterClose(writer_);
  writer_ = nullptr;
  std::error_code error;
  const bool written = std::filesystem::file_size(temporary_, error) > 0 && !error;
  if (written && std::rename(temporary_.c_str(), path_.c_str()) == 0) return;
  remove();
  throw Error(path_, "cannot be written", "check free space and that the path names no folder");
}

std::vector<FstSignal> read_fst(const std::string& path) {
  void* reader = fstReaderOpen(path.c_str());
  if (!reader) throw Error(path, "is no FST waveform", "name a file that --trace wrote");
  std::vector<FstSignal> signals(fstReaderGetVarCount(reader));
  while (const fstHier* entry = fstReaderIterateHier(reader)) {
    if (entry->htyp == FST_HT_VAR && entry->u.var.handle <= signals.size()) signals[entry->u.var.handle - 1].name = entry->u.var.name;
  }
  fstReaderSetFacProcessMaskAll(reader);
  fstReaderIterBlocks(
      reader,
      [](void* user, uint64_t time, fstHandle handle, const unsigned char* value) {
        auto& all = *static_cast<std::vector<FstSignal>*>(user);
        if (handle <= all.size()) all[handle - 1].changes.emplace_back(time, value[0] == '1');
      },
      &signals, nullptr);
  fstReaderClose(reader);
  return signals;
}

#else

namespace {

Error absent(const std::string& path) {
  return Error(path, "this program was built without FST",
               "give a name that ends in .vcd, or build with verilator and zlib1g-dev installed");
}

}  // namespace

bool has_fst() {
  return false;
}
FstFile::FstFile(const std::string& path, const std::string&, const std::vector<std::string>&) {
  throw absent(path);
}
FstFile::~FstFile() = default;
void FstFile::remove() const {}
void FstFile::change(uint64_t, size_t, bool) {}
void FstFile::finish(uint64_t) {}
std::vector<FstSignal> read_fst(const std::string& path) {
  throw absent(path);
}

#endif

}  // namespace bitgrid
