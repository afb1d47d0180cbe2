// The floorplan's script, second part: one invocation with random input bits, simulated cell by cell as bitgrid_sim/scalar.h defines it.
#pragma once

namespace bitgrid::report {

inline constexpr char kInvocationScript[] = R"js(
'use strict';
let play=null,timer=0;
/// State before the constant streams begin. Input bits from a generator with a fixed seed; resident bits are 0.
function newPlay(){ let seed=1; const random=()=>{seed=Math.imul(seed,1664525)+1013904223>>>0;return seed>>>24&1;}; const n=K.w*K.h,bits=[];
  if(!K.tables)K.tables=K.dict.map(d=>{const w=BigInt('0x'+d[0]),t=new Uint8Array(16);for(let i=0;i<16;i++)t[i]=Number(w>>BigInt(4*i)&15n);return t;});
  const at=(side,pos)=>side===0?pos:side===2?(K.h-1)*K.w+pos:side===3?pos*K.w:pos*K.w+K.w-1, drive=new Map(),sample=new Map(); let last=0;
  for(const [bit,side,pos,phase,hold] of K.in){ if(bits[bit]===undefined)bits[bit]=random(); if(bits[bit])for(let k=0;k<hold;k++){const p=phase+2*k; if(!drive.has(p))drive.set(p,[]); drive.get(p).push([at(side,pos),1<<side]);} }
  for(const [bit,side,pos,phase] of K.out){ if(!sample.has(phase))sample.set(phase,[]); sample.get(phase).push([bit,at(side,pos),side]); last=Math.max(last,phase); }
  return {bits,drive,sample,last,p:-2*K.lead,state:new Uint8Array(n),ext:new Uint8Array(n),changed:new Int32Array(n).fill(-1e9),out:[],lanes:K.constants.map(c=>[at(c[0],c[1]),1<<c[0],c[2],c[3]])}; }
/// One phase: cells of its colour latch what they compute from the other colour's outputs and the border.
function phase(s){ const {state,ext}=s,w=K.w,h=K.h,p=s.p,set=[]; const put=(c,m)=>{ext[c]|=m;set.push(c);};
  for(const [c,m] of s.drive.get(p)||[])put(c,m); for(const [c,m,first,bits] of s.lanes){const d=p-first; if(!(d&1)&&bits[((d/2)%K.ii+K.ii)%K.ii]==='1')put(c,m);}
  for(let y=0;y<h;y++)for(let x=(y+p)&1,i=y*w+x;x<w;x+=2,i+=2){ let v=ext[i]; if(y>0)v|=state[i-w]>>2&1; if(x<w-1)v|=(state[i+1]>>3&1)<<1; if(y<h-1)v|=(state[i+w]&1)<<2; if(x>0)v|=(state[i-1]>>1&1)<<3;
    const q=K.tables[K.index[i]][v]; if(q!==state[i]){state[i]=q;s.changed[i]=p;} }
  for(const c of set)ext[c]=0; for(const [bit,c,side] of s.sample.get(p)||[])s.out[bit]=state[c]>>side&1; s.p++; }
function hex(bits,n){ let t=''; for(let i=0;i<n;i+=4){let d=0;for(let k=0;k<4;k++)d|=(bits[i+k]||0)<<k;t=d.toString(16)+t;} return t; }
const result=s=>'input '+hex(s.bits,K.inputBits)+' output '+hex(s.out,K.outputBits);
function playAll(){ const s=newPlay(); while(s.p<=s.last)phase(s); $('hover').textContent=result(s); }
function start(){ play=newPlay(); $('wave').textContent='stop'; const step=Math.max(1,Math.round(play.last/300)); timer=setInterval(()=>{ const until=performance.now()+25;
    if(play.p<0){while(play.p<0&&performance.now()<until)phase(play); if(play.p<0){$('hover').textContent='constant streams run: phase '+play.p;return;}}
    for(let k=0;k<step&&play.p<=play.last;k++)phase(play); $('hover').textContent='phase '+play.p+' of '+(play.last+1)+': cells that change\n'+result(play); draw(); if(play.p>play.last){clearInterval(timer);timer=0;$('wave').textContent='play an invocation';play=null;} },33); }
function stop(){ clearInterval(timer); timer=0; play=null; $('wave').textContent='play an invocation'; }
function drawInvocation(){ if(!play)return; const recent=2*Math.max(1,Math.round(play.last/300)),im=new ImageData(K.w,K.h),px=new Uint32Array(im.data.buffer),e=document.createElement('canvas');
  for(let i=0;i<px.length;i++)if(play.changed[i]>=play.p-recent)px[i]=0xc0ff00ff; e.width=K.w;e.height=K.h;e.getContext('2d').putImageData(im,0,0); ctx.drawImage(e,ox,oy,K.w*scale,K.h*scale); }
)js";

}  // namespace bitgrid::report
