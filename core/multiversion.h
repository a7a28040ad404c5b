// Loops compiled for several kinds of processor, of which the one that runs chooses: for builds that are to run on
// others than the one they are made on.
#pragma once

/// Before a function: with all that it calls inlined, it is compiled for AVX-512, for AVX2 and for every processor of
/// the kind. Set by the build when it does not compile for this machine alone (EIGENGRAD_NATIVE).
#if defined(EIGENGRAD_MULTIVERSION)
#  define EG_MULTIVERSION \
    [[gnu::noinline, gnu::flatten, gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#  define EG_MULTIVERSION [[gnu::noinline]]
#endif
