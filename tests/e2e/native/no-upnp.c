/* Debian 12's whip-client links libsoup 2, and libnice brings libsoup 3 by way of UPnP: GLib ends a process with both. This takes the place of
 * the library for UPnP, which the tests have no use for. */
extern void *g_object_new(unsigned long type, const char *first, ...);

#define G_TYPE_OBJECT (20UL << 2)

void *gupnp_simple_igd_thread_new(void) { return g_object_new(G_TYPE_OBJECT, 0); }
unsigned long gupnp_simple_igd_get_type(void) { return G_TYPE_OBJECT; }
void gupnp_simple_igd_add_port(void) {}
void gupnp_simple_igd_remove_port_local(void) {}
