import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const BASE = '/console/';

/** Cloudscape's fonts stand in its style sheet as data, 140 KB that every page would load: as files, only those in use are. */
function fontFiles(): Plugin {
  return {
    name: 'font-files',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('global-styles/index.css')) return undefined;
      let fonts = 0;
      return code.replace(/url\('data:font\/woff2;base64,([^']+)'\)/g, (_, data: string) => {
        fonts += 1;
        const reference = this.emitFile({
          type: 'asset',
          name: `open-sans-${fonts}.woff2`,
          source: Buffer.from(data, 'base64'),
        });
        return `url('${BASE}${this.getFileName(reference)}')`;
      });
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: BASE,
  plugins: [fontFiles(), react()],
  build: {
    outDir: 'dist',
    target: 'es2023',
    sourcemap: false,
    // Which chunks a page loads, for who measures them; not served.
    manifest: true,
    chunkSizeWarningLimit: 1000,
    // No script or style may stand in the page itself.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: `${import.meta.dirname}/index.html`, silent: `${import.meta.dirname}/silent.html` },
    },
  },
});
