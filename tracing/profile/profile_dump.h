// Writes the heap profile as text, for tools (tools/hakmem/profile_text.h reads
// it). Addresses are not resolved to names here: the lines "map" tell what lay
// where.
//
//   hakmem heap profile 1
//   pid 4711
//   rate 524288                     bytes per sample; 0: stopped
//   live 1000 65536000              blocks and bytes in total, estimated
//   peak 2000 131072000
//   allocated 5000 327680000
//   dropped 0 0                     not in the above: there was no room
//   site 1000 65536000 2000 131072000 5000 327680000 0x401136 0x401200
//   …                               live, peak, allocated; frames, innermost
//                                   first, each inside the call
//   map 0x400000 0x402000 0x1000 a1b2c3… /usr/bin/program
//   …                               executable mappings: begin, end, offset in
//                                   the file, build id or "-", file
//   end
#ifndef HAKMEM_TRACING_PROFILE_PROFILE_DUMP_H_
#define HAKMEM_TRACING_PROFILE_PROFILE_DUMP_H_

namespace hakmem {

// Writes to the file `path`, which is created or replaced; "%p" in it stands
// for the process's number. "" is stderr. Returns 0, the errno of what failed,
// or ENODATA when there never was a profile. Allocates nothing, keeps errno,
// holds no lock while it writes. Needs some 6 KiB of stack.
int WriteProfile(const char* path);

// Makes this the process that HAKMEM_PROFILE's file belongs to. A forked child
// writes to the same path with ".%p" after it, unless "%p" is in it anyway.
void OwnProfileFile();

// Writes to HAKMEM_PROFILE's file; a line on stderr says when that fails.
void WriteProfileAsAsked();

}  // namespace hakmem

#endif  // HAKMEM_TRACING_PROFILE_PROFILE_DUMP_H_
