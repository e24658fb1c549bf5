/** Runs in the frame that a silent sign-in comes back to: hands its address to the page around it, as oidc-client-ts expects. */
window.parent.postMessage({ source: 'oidc-client', url: location.href, keepOpen: false }, location.origin);
