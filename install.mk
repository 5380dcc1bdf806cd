# `make install`: where C programmers expect it. Included by the Makefile.

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DOCDIR ?= $(PREFIX)/share/doc/hotpart
INSTALL ?= install

# What is installed is built apart: without symbols that nobody links to, and without this machine's paths in it.
DISTRIBUTION := $(abspath build/distribution)
# Those of the toolchain are in it where the component rust-src is installed.
REMAP := --remap-path-prefix=$(or $(RUSTUP_HOME),$(HOME)/.rustup)=rustup \
	--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=crates --remap-path-prefix=$(CURDIR)=hotpart
DISTRIBUTED_FROM := install.mk Cargo.toml Cargo.lock build.rs $(shell find src -name '*.rs')
# What the static library needs; `rustc --print native-static-libs` lists it. Without gcc_s, which a C compiler adds itself, and
# with -static takes gcc_eh instead.
SYSTEM_LIBRARIES := util rt pthread m dl c
# The SONAME has the major version, 0 included; within it the C ABI only grows.
MAJOR := $(firstword $(subst ., ,$(VERSION)))

ifeq ($(shell uname -s),Darwin)
BUILT := libhotpart.dylib
SONAME := libhotpart.$(MAJOR).dylib
INSTALL_NAME := @rpath/$(SONAME)
SHARED := libhotpart.$(VERSION).dylib
SYSTEM_LIBRARIES := System c m
STRIP_STATIC := strip -S
else
BUILT := libhotpart.so
SONAME := libhotpart.so.$(MAJOR)
INSTALL_NAME := $(SONAME)
SHARED := libhotpart.so.$(VERSION)
STRIP_STATIC := strip --strip-debug
endif

CMAKEDIR = $(LIBDIR)/cmake/hotpart
# Places are absolute: by others CMake can't tell how far one is from another.
FILL = sed -e 's|@PREFIX@|$(abspath $(PREFIX))|; s|@VERSION@|$(VERSION)|; s|@PRIVATE@|$(addprefix -l,$(SYSTEM_LIBRARIES))|' \
	-e 's|@LIBDIR@|$(abspath $(LIBDIR))|; s|@INCLUDEDIR@|$(abspath $(INCLUDEDIR))|; s|@CMAKEDIR@|$(abspath $(CMAKEDIR))|' \
	-e 's|@SHARED@|$(SHARED)|; s|@INSTALL_NAME@|$(INSTALL_NAME)|; s|@MAJOR@|$(MAJOR)|; s|@POINTER_SIZE@|8|' \
	-e "s|@SYSTEM_LIBRARIES@|$$(echo $(SYSTEM_LIBRARIES) | tr ' ' ';')|"
FILLED = $(LIBDIR)/pkgconfig/hotpart.pc $(addprefix $(CMAKEDIR)/,hotpart-config.cmake hotpart-config-version.cmake)
INSTALLED = $(FILLED) $(addprefix $(LIBDIR)/,$(SHARED) $(SONAME) $(BUILT) libhotpart.a) \
	$(INCLUDEDIR)/hotpart.h $(addprefix $(DOCDIR)/,README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT)

# It would stand in for RUSTFLAGS.
unexport CARGO_ENCODED_RUSTFLAGS

.PHONY: distribution install uninstall

distribution: $(DISTRIBUTION)/libhotpart.a

# The static library has the objects of std, which came with symbols for debuggers. It is made last.
$(DISTRIBUTION)/libhotpart.a: $(DISTRIBUTED_FROM)
	CARGO_TARGET_DIR=$(DISTRIBUTION) CARGO_PROFILE_RELEASE_STRIP=symbols RUSTFLAGS="$(RUSTFLAGS) $(REMAP)" \
		$(CARGO) rustc --release --locked --lib --crate-type cdylib,staticlib
	$(STRIP_STATIC) -o $@ $(DISTRIBUTION)/release/libhotpart.a

# Builds nothing after `make`: root need have no cargo, and leaves no files here. All may read what is installed, whatever the
# umask is.
install: distribution ## install library, header, hotpart.pc and a CMake package: PREFIX=/usr/local, LIBDIR, INCLUDEDIR, DESTDIR
	umask 022; $(INSTALL) -d $(addprefix $(DESTDIR),$(LIBDIR)/pkgconfig $(CMAKEDIR) $(INCLUDEDIR) $(DOCDIR))
	$(INSTALL) -m 755 $(DISTRIBUTION)/release/$(BUILT) $(DESTDIR)$(LIBDIR)/$(SHARED)
	ln -sf $(SHARED) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/$(BUILT)
	$(INSTALL) -m 644 $(DISTRIBUTION)/libhotpart.a $(DESTDIR)$(LIBDIR)/
	$(INSTALL) -m 644 include/hotpart.h $(DESTDIR)$(INCLUDEDIR)/
	$(INSTALL) -m 644 README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT $(DESTDIR)$(DOCDIR)/
	$(FILL) hotpart.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/hotpart.pc
	for file in hotpart-config hotpart-config-version; do \
		$(FILL) cmake/$$file.cmake.in >$(DESTDIR)$(CMAKEDIR)/$$file.cmake || exit 1; done
	chmod 644 $(addprefix $(DESTDIR),$(FILLED))
	$(if $(DESTDIR),,@echo 'Programs find it in $(LIBDIR) once `ldconfig` has run, or if linked with -Wl,-rpath,$(LIBDIR).')

uninstall: ## remove what `make install` with the same PREFIX, LIBDIR, INCLUDEDIR and DESTDIR has installed
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	-rmdir $(DESTDIR)$(CMAKEDIR) $(DESTDIR)$(DOCDIR) 2>/dev/null
