"""Toolchains of a gcc that is installed on the system."""

load(
    "@bazel_tools//tools/cpp:unix_cc_toolchain_config.bzl",
    "cc_toolchain_config",
)
load("@rules_cc//cc:defs.bzl", "cc_toolchain")

_TOOLS = ["ar", "cpp", "dwp", "gcc", "gcov", "ld", "nm", "objcopy", "objdump", "strip"]

def gcc_toolchain(
        constraints,
        cpu,
        libc,
        tool_prefix,
        triple,
        include_directories,
        compile_flags,
        opt_flags = [],
        cxx_flags = [],
        link_flags = [],
        link_libs = [],
        compiler_files = ":empty"):
    """Makes :toolchain and :platform.

    The flags are those that Bazel finds for the machine's own compiler.

    Args:
      constraints: values of the platform beside Linux.
      cpu: name that Bazel has for the processor.
      libc: name of the C library.
      tool_prefix: path of each tool up to its name.
      triple: of the target.
      include_directories: the compiler's own.
      compile_flags: of C and C++.
      opt_flags: of optimised builds, in addition to those of all.
      cxx_flags: of C++, in addition to the standard.
      link_flags: in addition to those of all.
      link_libs: libraries of each program.
      compiler_files: files of this tree that the compiler reads.
    """
    constraints = constraints + ["@platforms//os:linux"]
    native.platform(name = "platform", constraint_values = constraints)
    native.toolchain(
        name = "toolchain",
        exec_compatible_with = ["@platforms//os:linux"],
        target_compatible_with = constraints,
        toolchain = ":cc_toolchain",
        toolchain_type = "@bazel_tools//tools/cpp:toolchain_type",
    )
    native.filegroup(name = "empty", srcs = [])
    cc_toolchain(
        name = "cc_toolchain",
        all_files = compiler_files,
        ar_files = ":empty",
        as_files = compiler_files,
        compiler_files = compiler_files,
        dwp_files = ":empty",
        linker_files = ":empty",
        objcopy_files = ":empty",
        strip_files = ":empty",
        supports_param_files = True,
        toolchain_config = ":config",
    )
    cc_toolchain_config(
        name = "config",
        abi_libc_version = libc,
        abi_version = "gcc",
        compile_flags = ["-U_FORTIFY_SOURCE", "-Wall"] + compile_flags,
        compiler = "gcc",
        cpu = cpu,
        cxx_builtin_include_directories = include_directories,
        cxx_flags = ["-std=c++20"] + cxx_flags,
        dbg_compile_flags = ["-g"],
        host_system_name = "local",
        link_flags = link_flags + ["-pass-exit-codes"],
        link_libs = link_libs,
        opt_compile_flags = ["-g0", "-O2", "-DNDEBUG", "-ffunction-sections", "-fdata-sections"] + opt_flags,
        opt_link_flags = ["-Wl,--gc-sections"],
        target_libc = libc,
        target_system_name = triple,
        # Bazel asks for llvm-cov whatever the compiler.
        tool_paths = dict({tool: tool_prefix + tool for tool in _TOOLS}, **{
            "llvm-cov": tool_prefix + "gcov",
        }),
        toolchain_identifier = triple,
        unfiltered_compile_flags = ["-fno-canonical-system-headers", "-Wno-builtin-macro-redefined"] + [
            '-D__%s__="redacted"' % macro
            for macro in ["DATE", "TIMESTAMP", "TIME"]
        ],
    )
