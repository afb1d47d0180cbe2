// Keeps the files of GTKWave's fstapi.c in memory. That code maps its files and checks no errors, so that on a full disk it dies of SIGBUS
// or leaves a truncated dump. With this header it never touches the disk. fst.cmake includes it before fstapi.c, with
// BITGRID_FST_IN_MEMORY.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

namespace bitgrid::sim {

/// For reading, opens the file of that name. For writing, opens the memory of the descriptor whose number is the name, or new memory.
FILE* fst_open(const char* name, const char* mode);
FILE* fst_temporary();
/// Does nothing, since files in memory have no names.
inline int fst_unlink(const char*) {
  return 0;
}
// Replacements for fflush, fclose and mmap. If memory or the file size limit runs out, they tell the FstFile that made the call and let the
// caller go on. Whatever it writes after that is thrown away.
int fst_flush(FILE* file);
int fst_close(FILE* file);
void* fst_map(void* address, size_t bytes, int protection, int flags, int fd, off_t offset);

}  // namespace bitgrid::sim

#ifdef BITGRID_FST_IN_MEMORY
#define fopen(name, mode) bitgrid::sim::fst_open(name, mode)
#define tmpfile() bitgrid::sim::fst_temporary()
#define unlink(name) bitgrid::sim::fst_unlink(name)
#define fflush(file) bitgrid::sim::fst_flush(file)
#define fclose(file) bitgrid::sim::fst_close(file)
#define mmap(address, bytes, protection, flags, fd, offset) bitgrid::sim::fst_map(address, bytes, protection, flags, fd, offset)
#endif
