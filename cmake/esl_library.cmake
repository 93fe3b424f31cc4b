# voice-ai-esl: the Event Socket layer as a library of its own, static and shared, that exports what
# its public headers (src/esl/public.txt) declare and nothing else. Needs libuv only.
set(ESL_SOVERSION 0)
file(GLOB ESL_SOURCES CONFIGURE_DEPENDS src/esl/*.c)
set(ESL_BASE buf clock err htab rand str)
set(ESL_NET addr lock loop resolve tcp tcp_listen tmr)
foreach(name ${ESL_BASE})
  list(APPEND ESL_SOURCES src/base/${name}.c)
endforeach()
foreach(name ${ESL_NET})
  list(APPEND ESL_SOURCES src/net/${name}.c)
endforeach()
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv>=1.44)

file(STRINGS src/esl/public.txt ESL_HEADERS REGEX "^[^#]")
list(TRANSFORM ESL_HEADERS REPLACE " types$" "")
set(ESL_HEADER_PATHS ${ESL_HEADERS})
list(TRANSFORM ESL_HEADER_PATHS PREPEND ${CMAKE_SOURCE_DIR}/src/)
set(ESL_OUT ${CMAKE_BINARY_DIR}/esl)
file(MAKE_DIRECTORY ${ESL_OUT})
add_custom_command(
  OUTPUT ${ESL_OUT}/exports.txt ${ESL_OUT}/exports.map
  COMMAND ${CMAKE_SOURCE_DIR}/tools/esl_exports.sh > ${ESL_OUT}/exports.txt
  COMMAND ${CMAKE_SOURCE_DIR}/tools/esl_exports.sh --map > ${ESL_OUT}/exports.map
  DEPENDS ${ESL_HEADER_PATHS} src/esl/public.txt tools/esl_exports.sh)
add_custom_target(voice-ai-esl-exports DEPENDS ${ESL_OUT}/exports.map)

add_library(voice-ai-esl-objects OBJECT EXCLUDE_FROM_ALL ${ESL_SOURCES})
set_target_properties(voice-ai-esl-objects PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_link_libraries(voice-ai-esl-objects PRIVATE PkgConfig::UV)

add_library(voice-ai-esl SHARED $<TARGET_OBJECTS:voice-ai-esl-objects>)
add_dependencies(voice-ai-esl voice-ai-esl-exports)
set_target_properties(voice-ai-esl PROPERTIES SOVERSION ${ESL_SOVERSION} LINKER_LANGUAGE C
                      VERSION ${ESL_SOVERSION}.${PROJECT_VERSION_MINOR}.${PROJECT_VERSION_PATCH}
                      LINK_DEPENDS ${ESL_OUT}/exports.map)
target_link_libraries(voice-ai-esl PRIVATE PkgConfig::UV)
target_link_options(voice-ai-esl PRIVATE -Wl,--version-script=${ESL_OUT}/exports.map
                    -Wl,-Bsymbolic-functions -Wl,-z,defs -Wl,--as-needed)

# One object whose other names are local: names inside cannot collide with the user's program.
add_custom_command(
  OUTPUT ${ESL_OUT}/libvoice-ai-esl.a
  COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ${ESL_OUT}/voice-ai-esl.o
          $<TARGET_OBJECTS:voice-ai-esl-objects>
  COMMAND ${CMAKE_OBJCOPY} --keep-global-symbols=${ESL_OUT}/exports.txt ${ESL_OUT}/voice-ai-esl.o
  COMMAND ${CMAKE_COMMAND} -E rm -f ${ESL_OUT}/libvoice-ai-esl.a
  COMMAND ${CMAKE_AR} rcs ${ESL_OUT}/libvoice-ai-esl.a ${ESL_OUT}/voice-ai-esl.o
  DEPENDS voice-ai-esl-objects $<TARGET_OBJECTS:voice-ai-esl-objects> ${ESL_OUT}/exports.txt
  COMMAND_EXPAND_LISTS)
add_custom_target(voice-ai-esl-static ALL DEPENDS ${ESL_OUT}/libvoice-ai-esl.a)

configure_file(cmake/voice-ai-esl.pc.in ${ESL_OUT}/voice-ai-esl.pc @ONLY)
install(TARGETS voice-ai-esl LIBRARY DESTINATION lib)
install(FILES ${ESL_OUT}/libvoice-ai-esl.a DESTINATION lib)
install(FILES ${ESL_OUT}/voice-ai-esl.pc DESTINATION lib/pkgconfig)
foreach(header ${ESL_HEADERS})
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES src/${header} DESTINATION include/voice-ai-esl/${folder})
endforeach()
